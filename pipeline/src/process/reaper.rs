// SPDX-License-Identifier: GPL-2.0-or-later
//! Ends what a call started, whatever happens to this process.
//!
//! A small shell stands by for each call and leads the process group that the call runs in. It waits on
//! a pipe that only this process writes to: a line says that all is over; an end without a line says
//! that this process is gone or gives up. Then everything that descends from the call is ended, with the
//! call's own means too, since a container's processes descend from somebody else.

use super::{Invocation, prepared};
use anyhow::{Context, Result};
use rustix::process::{Pid, Signal, kill_process_group};
use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

/// Its arguments are the call's own means. `status` escapes the names that processes give themselves,
/// and `stat` does not. What the shell itself starts is no part of the family.
const SCRIPT: &str = r#"
trap '' HUP INT TERM
read -r _ && exit
family() {
    set -- $(grep -Es '^(PPid|NSpgid):' /proc/[0-9]*/status)
    all= known=' ' more=1
    for word; do
        case $word in
            *:PPid:) pid=${word#/proc/} pid=${pid%%/*} field=parent ;;
            *:NSpgid:) field=group ;;
            *)
                case $field in
                    parent) parent=$word ;;
                    group) [ "$parent" = $$ ] || all="$all $pid:$parent:$word" ;;
                esac
                field=
                ;;
        esac
    done
    while [ $more = 1 ]; do
        more=0
        for each in $all; do
            pid=${each%%:*} parent=${each#*:} group=${each##*:}
            parent=${parent%:*}
            case $known in
                *" $pid "*) continue ;;
                *" $parent "*) group=$$ ;;
            esac
            [ $pid = $$ ] || [ $group != $$ ] || known="$known$pid " more=1
        done
    done
    known=${known# }
}
living() {
    for pid in $known; do ! kill -0 "$pid" || return 0; done 2>/dev/null
    return 1
}
ended() {
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        living || return 0
        sleep 0.05
    done
}
sleep 0.02
family
[ -z "$known" ] || kill -TERM $known
[ $# = 0 ] || "$@"
ended
family
[ -z "$known" ] || kill -KILL $known
[ $# = 0 ] || "$@"
ended
"#;
/// The longest that it may take; an engine under load needs a while to remove a container.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Reaper {
    shell: Child,
    pipe: Option<ChildStdin>,
    /// Whether the call has ended by itself.
    over: bool,
}

impl Reaper {
    /// Starts it before the call is started, so that there is no moment in between.
    pub fn stand_by(call: &Invocation) -> Result<Self> {
        let mut words =
            vec!["-c", SCRIPT, "reaper"].into_iter().map(Into::into).collect::<Vec<_>>();
        if let Some(cleanup) = call.cleanup() {
            words.extend(cleanup.argv());
        }
        let mut command = prepared(&Invocation::new("/bin/sh").args(words))?;
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        command.current_dir("/").process_group(0);
        let mut shell = command.spawn().context("cannot start `/bin/sh`")?;
        let pipe = shell.stdin.take();
        Ok(Self { shell, pipe, over: false })
    }

    /// The group that the call runs in.
    pub fn group(&self) -> i32 {
        self.shell.id().cast_signed()
    }

    /// Tells it that the call has ended by itself.
    pub fn dismiss(&mut self) {
        self.over = true;
    }

    /// Has it end the call with everything it started, and waits for that.
    pub fn reap(&mut self, call: &mut Child) {
        drop(self.pipe.take());
        let began = Instant::now();
        while began.elapsed() < PATIENCE && matches!(self.shell.try_wait(), Ok(None)) {
            // Until somebody has asked for its end, it is a process.
            let _ = call.try_wait();
            std::thread::sleep(Duration::from_millis(10));
        }
        // Whoever of the group is left, itself among them.
        if let Some(group) = Pid::from_raw(self.group()) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.shell.wait();
    }
}

impl Drop for Reaper {
    fn drop(&mut self) {
        // Without that word, as where a panic ends this, it ends what is left of the call.
        if let Some(mut pipe) = self.pipe.take()
            && self.over
        {
            let _ = pipe.write_all(b"\n");
        }
        let _ = self.shell.wait();
    }
}
