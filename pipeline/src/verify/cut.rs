// SPDX-License-Identifier: GPL-2.0-or-later
//! Lists for people: nobody reads more than some lines, and a package can have a hundred thousand files that
//! each break a rule. Programs get all of them.

/// The most lines of one list.
const MOST: usize = 40;

/// A list that may have parts, such as rules: none of them hides another, so that each has a line at least.
pub struct Cut {
    left: usize,
}

impl Default for Cut {
    fn default() -> Self {
        Self { left: MOST }
    }
}

impl Cut {
    /// The first lines of a part, and how many more there would be.
    pub fn lines<T>(&mut self, all: &[T], show: impl Fn(&T) -> String) -> Vec<String> {
        let most = all.len().min(self.left.max(1));
        self.left -= most.min(self.left);
        let mut lines: Vec<String> = all[..most].iter().map(show).collect();
        if all.len() > most {
            lines.push(format!("… and {} more", all.len() - most));
        }
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_a_list_hides_another() {
        let all: Vec<usize> = (0..1000).collect();
        let mut cut = Cut::default();
        let show = usize::to_string;
        assert_eq!(cut.lines(&all[..3], show), ["0", "1", "2"]);
        let second = cut.lines(&all, show);
        assert_eq!(
            (second.len(), second[36].as_str(), second[37].as_str()),
            (38, "36", "… and 963 more")
        );
        assert_eq!(cut.lines(&all[..2], show), ["0", "… and 1 more"]);
        assert_eq!(cut.lines(&all[7..8], show), ["7"]);
        assert!(cut.lines(&all[..0], show).is_empty());
        assert_eq!(Cut::default().lines(&all[..MOST], show).len(), MOST);
        assert_eq!(Cut::default().lines(&all[..=MOST], show).last().unwrap(), "… and 1 more");
    }
}
