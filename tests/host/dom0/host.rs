// SPDX-License-Identifier: GPL-2.0-or-later
//! A dom0 for packages: a container of Debian with real rpm and dnf and Python, whose systemd, xapi and
//! packages of xenopsd and QEMU are stand-ins.

use crate::support::leash::Leash;
use crate::support::registry;
use crate::support::{self, ends_with};
use rpm::{
    BuildConfig, CompressionType, Dependency, FileOptions, Header, HeaderEntry, IndexData,
    IndexSignatureTag, IndexTag, Package, PackageBuilder, Scriptlet,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use tempfile::TempDir;

pub const WRAPPER: &str = "/usr/lib64/xen/bin/qemu-wrapper";
/// As `/etc/xensource-inventory` has it.
const HOST: &str = "11111111-0000-4000-8000-000000000001";
const QEMU: &str = "/usr/lib64/xen/bin/qemu-system-i386";

/// A container that is gone when this is dropped.
pub struct Host {
    name: String,
    _scratch: TempDir,
}

/// How a command in it ended, and all that it said.
pub struct Outcome {
    pub success: bool,
    pub text: String,
}

impl Host {
    /// One that has no package yet, and knows the repository that a pipeline published.
    pub fn start(repository: &Path) -> Self {
        static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("vgpu-pipeline-dom0-{}-{number}", std::process::id());
        let scratch = support::scratch();
        newer(repository, &scratch.path().join("newer.rpm"));
        // Ours for the vendor's next version.
        write_into(scratch.path(), qemu("5.2.15.3.xcpng8.3.vgpu1"));
        let drop_in = published(&support::workstation().repository);
        fs::copy(drop_in, scratch.path().join("other.rpm")).unwrap();
        let mount = |from: &Path, to: &str| {
            format!("--mount=type=bind,source={},target={to},readonly", from.display())
        };
        let stubs = support::root().join("tests/host/wrapper/stubs");
        let mut run = Command::new("podman");
        run.args(["run", "--detach", "--network=none", "--name", &name]);
        run.arg(mount(repository, "/published")).arg(mount(vendors(), "/vendors"));
        run.arg(mount(scratch.path(), "/scratch")).arg(mount(&stubs, "/stubs"));
        ends_with(0, run.arg(registry::stand_in()).args(["sleep", "infinity"]));
        let host = Self { name, _scratch: scratch };
        let inventory = format!("echo \"INSTALLATION_UUID='{HOST}'\" >/etc/xensource-inventory\n");
        let outcome = host.sh(&(inventory + SET_UP));
        assert!(outcome.success, "{}", outcome.text);
        host
    }

    /// Runs lines of shell.
    pub fn sh(&self, script: &str) -> Outcome {
        let mut exec = Command::new("podman");
        let output = exec.args(["exec", &self.name, "sh", "-c", script]).output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text).into_owned();
        Outcome { success: output.status.success(), text }
    }

    /// What lines of shell say, which have to succeed.
    #[track_caller]
    pub fn says(&self, script: &str) -> String {
        let outcome = self.sh(script);
        assert!(outcome.success, "{script}\n{}", outcome.text);
        outcome.text
    }

    #[track_caller]
    pub fn dnf(&self, words: &str) -> String {
        self.says(&format!("dnf -y {words}"))
    }

    /// The calls of `systemctl`, each with what was there when it was made.
    pub fn restarts(&self) -> Vec<String> {
        self.says("cat /opt/dom0/restarts").lines().map(str::to_owned).collect()
    }

    /// Every file that is no cache, log or database, nor a stand-in's.
    pub fn files(&self) -> String {
        self.says(
            "find / -xdev \\( -path /var/cache -o -path /var/lib/dnf -o -path /var/lib/rpm -o \
             -path /var/log -o -path /tmp -o -path /root -o -path /opt \\) -prune -o -print | sort",
        )
    }

    /// Sets a VM to use the device, or none.
    pub fn vm(&self, platform: &str) {
        let vms = r#"[{"uuid": "22222222-0000-4000-8000-000000000001", "name-label": "web",
            "kind": "vm", "is-control-domain": "false",
            "power-state": "halted", "platform": PLATFORM, "domain-type": "hvm",
            "HVM-boot-params": {}, "other-config": {},
            "resident-on": "<not in database>", "dom-id": -1}]"#
            .replace("PLATFORM", platform);
        let state = format!(
            r#"{{"vms": {vms}, "hosts": [{{"uuid": "{HOST}", "name-label": "here"}}], "tasks": [],
            "messages": [], "xenstore": {{}}, "domid": 7}}"#
        );
        self.says(&format!("cat >/opt/dom0/state/xapi.json <<'END'\n{state}\nEND"));
    }

    /// What xapi's state holds.
    pub fn xapi(&self) -> serde_json::Value {
        serde_json::from_str(&self.says("cat /opt/dom0/state/xapi.json")).unwrap()
    }

    /// The texts of the messages that the pool was given.
    pub fn messages(&self) -> Vec<String> {
        let state = self.xapi();
        let messages = state["messages"].as_array().unwrap().iter();
        messages.map(|message| message["body"].as_str().unwrap().to_owned()).collect()
    }

    /// The vendor's packages are as they were brought, and the drop-in is where it should be.
    #[track_caller]
    pub fn is_well(&self, vendor: bool, ours: bool) {
        if vendor {
            let altered = self.sh("rpm -V xenopsd xenopsd-xc");
            assert!(altered.success && altered.text.is_empty(), "{}", altered.text);
        }
        let there = |path: &str| self.sh(&format!("[ -e {path} ]")).success;
        let expected = [ours, ours, ours];
        let found = [
            there("/etc/xenopsd.conf.d/qemu-device.conf"),
            there("/usr/libexec/qemu-device/qemu-wrapper"),
            there("/usr/lib/qemu-device"),
        ];
        assert_eq!(found, expected);
        if ours {
            let altered = self.sh("rpm -V qemu-device-dom0");
            assert!(altered.success && altered.text.is_empty(), "{}", altered.text);
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let mut remove = Command::new("podman");
        let _ = remove.args(["rm", "--force", "--time=0", &self.name]).output();
    }
}

/// No systemd runs in a container: its stand-in writes down what there was when it was called.
const SET_UP: &str = r#"
set -e
echo '%_dbpath /var/lib/rpm' >/root/.rpmmacros
mkdir -p /opt/dom0/bin /opt/dom0/state /run/systemd/system
cp /stubs/xe /opt/dom0/bin/xe
echo 'exec /opt/dom0/bin/xe "$@"' >/usr/bin/xe
cat >/usr/bin/systemctl <<'END'
conf=without; [ ! -s /etc/xenopsd.conf.d/qemu-device.conf ] || conf=with
shim=without; [ ! -e /usr/libexec/qemu-device/qemu-wrapper ] || shim=with
echo "$* $conf drop-in, $shim shim" >>/opt/dom0/restarts
[ ! -e /opt/dom0/fails ]
END
sed -i '1i #!/bin/sh' /usr/bin/xe /usr/bin/systemctl
chmod +x /usr/bin/xe /usr/bin/systemctl
: >/opt/dom0/restarts
rm -f /etc/yum.repos.d/*.repo
mkdir -p /etc/yum.repos.d
printf '[vendors]\nname=vendors\nbaseurl=file:///vendors\ngpgcheck=0\n' >/etc/yum.repos.d/vendors.repo
sed -e 's,http://localhost:8000,file:///published,' /published/*.repo >/etc/yum.repos.d/published.repo
dnf -y install debian-root-stand-in
"#;

fn package(name: &str, version: &str, release: &str) -> PackageBuilder {
    let config = BuildConfig::v4().compression(CompressionType::None);
    let mut builder = PackageBuilder::new(name, version, "MIT", "noarch", "A stand-in");
    builder.using_config(config.source_date(1_700_000_000)).release(release);
    builder
}

fn write_into(folder: &Path, mut builder: PackageBuilder) {
    let package = builder.build().unwrap();
    let name = package.metadata.get_nevra().unwrap().to_string();
    package.write_file(folder.join(format!("{name}.rpm"))).unwrap();
}

/// A package qemu that has our devices, if its release says so.
fn qemu(release: &str) -> PackageBuilder {
    let mut qemu = package("qemu", "4.2.1", release);
    let ours = ["vgpu-stub", "first-device"].iter().filter(|_| release.contains("vgpu"));
    for device in ours.clone() {
        qemu.provides(Dependency::eq(format!("qemu-device({device})"), "1"));
    }
    let devices = ["e1000"].iter().chain(ours);
    let lines = devices.map(|device| format!("echo 'name \"{device}\", bus PCI'\n"));
    let text = format!("#!/bin/sh\n# A stand-in: it lists devices.\n{}", lines.collect::<String>());
    qemu.epoch(2).with_file_contents(text, FileOptions::new(QEMU).permissions(0o755)).unwrap();
    qemu
}

/// The repository of the vendor's packages, made once.
fn vendors() -> &'static Path {
    static FOLDER: OnceLock<Leash> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let held = Leash::folder_alone();
        let folder = held.folder();
        let write = |builder| write_into(folder, builder);
        let mut root = package("debian-root-stand-in", "12", "1");
        for path in ["/usr/bin/python3", "/bin/sh"] {
            root.provides(Dependency::any(path));
        }
        write(root);
        let sample =
            fs::read_to_string(support::root().join("wrapper/sample/qemu-wrapper")).unwrap();
        for version in ["1", "2"] {
            let mut xenopsd = package("xenopsd", version, "1");
            let text = format!("{sample}\n# Version {version} of a stand-in.\n");
            xenopsd.with_file_contents(text, FileOptions::new(WRAPPER).permissions(0o755)).unwrap();
            write(xenopsd);
            let mut xc = package("xenopsd-xc", version, "1");
            xc.with_dir_entry(FileOptions::dir("/etc/xenopsd.conf.d").permissions(0o755)).unwrap();
            write(xc);
        }
        for release in ["5.2.15.2.xcpng8.3.vgpu1", "5.2.15.3.xcpng8.3"] {
            write(qemu(release));
        }
        let mut broken = package("broken", "1", "1");
        broken.pre_install_script(Scriptlet::new("exit 1"));
        broken.requires(Dependency::any("qemu-device-dom0"));
        write(broken);
        ends_with(0, Command::new("createrepo_c").arg("--quiet").arg(folder));
        held
    });
    folder.folder()
}

/// The published package for dom0.
pub fn published(repository: &Path) -> PathBuf {
    let files = fs::read_dir(repository.join("Packages")).unwrap();
    let mut files = files.map(|entry| entry.unwrap().path());
    files.find(|path| path.to_string_lossy().contains("/qemu-device-dom0")).unwrap()
}

/// The same package as a later version of it, which nobody has signed.
fn newer(repository: &Path, to: &Path) {
    let mut package = Package::open(published(repository)).unwrap();
    let entries = package.metadata.header.get_all_entries().unwrap().into_iter();
    let entries = entries.filter(|(tag, _)| *tag != IndexTag::RPMTAG_HEADERIMMUTABLE as u32);
    let entries = entries.map(|(tag, data)| {
        let later = tag == IndexTag::RPMTAG_VERSION as u32;
        HeaderEntry::new(tag, if later { IndexData::StringTag("999".into()) } else { data })
    });
    let entries: Vec<_> = entries.collect();
    package.metadata.header = Header::from_entries(entries, IndexTag::RPMTAG_HEADERIMMUTABLE);
    package.metadata.signature =
        Header::from_entries(Vec::new(), IndexSignatureTag::HEADER_SIGNATURES);
    package.write_file(to).unwrap();
}
