// SPDX-License-Identifier: GPL-2.0-or-later
//! Specs put together at random, of everything that a line may be to rpm. A seed gives the same specs
//! everywhere.

pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.below(of.len())].to_owned() + "\n"
    }

    /// So many of them at most, in their order.
    fn few(&mut self, most: usize, of: &[&str]) -> String {
        let count = self.below(most + 1);
        let mut taken: Vec<usize> = (0..count).map(|_| self.below(of.len())).collect();
        taken.sort_unstable();
        taken.dedup();
        taken.into_iter().flat_map(|at| [of[at], "\n"]).collect()
    }
}

const HEAD: &[&str] = &[
    "%global what gpu",
    "%define what() gpu",
    "%define mk() Source%1: mk%1.c",
    "%define two %{expand:\nSource21: t1.c\nSource22: t2.c\n}",
    "%define twice \\\nSource31: u1.c\\\nSource32: u2.c\\\n%{nil}",
    "%global n 4",
    "%if 0\n%global what no\n%endif",
    "%if 1\n%global n 5\n%endif",
    "%{!?what:%global what gpu}",
    "%undefine what",
    "%dnl %global what nothing",
    "%{lua: x = 1}",
    "%{lua: rpm.define('fromlua Source41: l.c')}",
    "%global apply() %patch%1 -p1",
    "%define applied %patch2 -p1",
    "%bcond_with asan",
    "# %global what fromacomment",
    "%global what %{?what}%{!?what:gpu}",
];

const SOURCES: &[&str] = &[
    "Source1: b.c",
    "source7:\thttps://example.org/x?get=c.c",
    "Source: unnumbered.c",
    "%{?dist:Source3: d.c}",
    "%{!?dist:Source3: e.c}",
    "%{?undefinedhere:Source3: f.c}",
    "%{?extra}",
    "%{expand:Source11: g.c}",
    "%mk 12",
    "%{mk 13}",
    "%two",
    "%twice",
    "%{?fromlua}",
    "%{lua: for i = 14, 15 do print('Source'..i..': l'..i..'.c\\n') end}",
    "%(echo Source16: h.c)",
    "%[1 ? \"Source17: i.c\" : \"\"]",
    "Source%{n}: j.c",
    "Source 18: k.c",
    "Source19 (old): m.c",
    "SOURCE020 : n.c",
    "%if 1\nSource23: o.c\n%else\nSource23: p.c\n%endif",
    "%if 0\nSource99: q.c\n%endif",
    "# %{?dist:\nSource24: r.c}",
    "#Source25: s.c",
    "Source26: %{nope}.c",
    "Source27: vgpu-%{expand:stub}.c",
    "Source28: %{name}-stub.c",
    "%{quote:Source29: v.c}",
    "Summary(de): %{?nope}",
    "%{?nope:Requires: x}",
    "BuildRequires: %{?nope:a}b",
    "%include more.inc",
];

const PATCHES: &[&str] = &[
    "Patch1: %{name}-%{version}-%{what}.patch",
    "PATCH1: toy-1-gpu.patch",
    "Patch: toy-1-gpu.patch",
    "Patch: b.patch",
    "Patch2: https://example.org/b.patch",
    "Patch2: %{url}/b.patch",
    "Patch3: toy-c.patch",
    "%{?dist:Patch3: toy-c.patch}",
    "%{?nope:Patch3: toy-c.patch}",
    "Patch4: %{?nope}toy-c.patch",
    "Patch5: toy-%{?what:c}.patch",
    "Patch%{n}: d.patch",
    "%if 1\nPatch6: b.patch\n%endif",
    "%if 0\nPatch6: b.patch\n%endif",
    "Patch7: %(echo e).patch",
    "Patch8: %{lua: print('f.patch')}",
    "Patch9 (old): g.patch",
    "%{expand:Patch10: h.patch\nPatch11: i.patch}",
];

const RELEASES: &[&str] = &[
    "Release: 1",
    "Release: 1%{?dist}",
    "Release: 1%dist",
    "release:\t%{?dist:2}%{dist}  ",
    "Release: %autorelease",
    "Release: %autorelease -e asan",
    "Release: %{autorelease -e asan}",
    "Release: 0.%release_func 3",
    "Release: %release_func 3",
    "Release: %{release_func 3}",
    "Release: 1%{?dist}%dnl a note",
    "Release: 1%{?dist} # a note",
    "Release: %{expand:1%%{?dist}}",
    "Release: %{lua: print('1')}%{?dist}",
    "Release: 1%{lua: print('a\\n')}",
    "Release: %(echo 1)%{?dist}",
    "Release: %(echo 1)",
    "%if 1\nRelease: 1%{?dist}\n%endif",
    "%{?dist:Release: 4%{dist}}",
    "Release: 1%{?dist}%{?nope:.x}",
    "Release: 1%{?dist}.vgpu1",
    "Release: %autorelease -e a.vgpu1",
];

const PREPS: &[&str] = &[
    "%autosetup -p1",
    "%setup -q",
    "%patch1 -p1",
    "%patch -P 2 -p1",
    "%patch 3 -p1",
    "%patch3 -p1 -b .1",
    "%patch%{n} -p1",
    "%autopatch -p1",
    "%autopatch -p1 1 2",
    "%autopatch -m 2 -M 4 -p1",
    "%{?dist:%patch2 -p1}",
    "%apply 2",
    "%applied",
    "patch -p1 < %{PATCH2}",
    "patch -p1 < %{P:1}",
    "patch -p1 < %{_sourcedir}/b.patch",
    "patch -p1 < $RPM_SOURCE_DIR/%{name}-c.patch",
    "cat %{_sourcedir}/*.patch | patch -p1",
    "for p in %{patches}; do patch -p1 < $p; done",
    "if true; then\n%patch2 -p1\nfi",
    "%if 1\n%patch1 -p1\n%endif",
    "%patch2 -p1 \\\n -b .x",
    "# %patch2 -p1",
    "%{lua: for i, p in ipairs(patches) do print('cat '..p..'\\n') end}",
    "cat b.patch",
    "echo web-b.patch",
];

pub fn any(dice: &mut Dice) -> String {
    let mut spec = String::from(
        "%define autorelease(e:s:pb:n) 1%{?-e:.%{-e*}}%{?dist}\n\
         %define release_func() %1%{?dist}\n",
    );
    spec += &dice.few(4, HEAD);
    spec += "Name: toy\nVersion: 1\nSummary: a\nLicense: b\nURL: https://example.org/p\nSource0: a.tar\n";
    if dice.below(2) == 0 {
        spec += &dice.few(2, SOURCES);
    }
    spec += &dice.one(RELEASES);
    spec += &dice.few(3, PATCHES);
    spec += &dice.few(2, SOURCES);
    spec += "\n%description\nIt has b.patch in it.\n";
    if dice.below(8) == 0 {
        spec += "%sourcelist\nlast.c\n%{name}.c\n\n";
    }
    if dice.below(8) == 0 {
        spec += "%patchlist\nz-b.patch\n%{name}-z.patch\n";
    }
    if dice.below(6) == 0 {
        spec += "%package sub\nSummary: a\n";
        spec += &dice.few(1, SOURCES);
        spec += "%description sub\nb\n";
    }
    spec += "%prep\n";
    spec += &dice.few(3, PREPS);
    spec += "echo ready\n%build\necho built\n";
    spec
}
