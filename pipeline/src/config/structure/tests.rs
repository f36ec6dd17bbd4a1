// SPDX-License-Identifier: GPL-2.0-or-later
use crate::config::parse_contract;

const CONTRACT: &str = include_str!("../../../../device/vgpu-stub.yaml");

/// The types would keep the last of them, and prove nothing of the first.
#[test]
fn a_number_is_one_key_in_whatever_spelling() {
    for table in ["reads", "then"] {
        for twice in
            ["0x000: 0, 0x00: 1", "0: 0, 0x0: 0", "0x2f4: 0, 756: 1", "0x0a8: 0, 0x0A8: 0, 168: 0"]
        {
            let from = format!("{table}: {{ 0x000: 0,");
            assert!(CONTRACT.contains(&from), "{from}");
            let text = CONTRACT.replacen(&from, &format!("{table}: {{ {twice}, 0x200: 0,"), 1);
            let said = parse_contract(&text, "c.yaml").unwrap_err();
            assert_eq!(said.mistakes.len(), twice.matches(',').count(), "{said}");
            for mistake in &said.mistakes {
                assert!(mistake.message.contains("are one number, which is given twice"), "{said}");
                let path = format!("starts[0].{table}");
                assert_eq!(mistake.path.as_deref(), Some(path.as_str()), "{said}");
            }
        }
    }
}
