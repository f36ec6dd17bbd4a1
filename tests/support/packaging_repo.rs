// SPDX-License-Identifier: GPL-2.0-or-later
//! A packaging repository of our own in the shape of XCP-ng's: a spec, patches, and tarballs that
//! git-lfs keeps elsewhere; and a pipeline on it.

use crate::support::git_server::GitServer;
use crate::support::{ends_with, program, root, scratch, sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;
use tempfile::TempDir;

pub const QEMU: &str = "qemu-4.2.1.tar.gz";
pub const KEYCODEMAPDB: &str = "keycodemapdb-22b8996dba9041874845c7446ce89ec4ae2b713d.tar.gz";

/// The repository, the forge that serves it, and a folder with a pipeline.
pub struct PackagingRepo {
    folder: TempDir,
    pub server: GitServer,
}

impl PackagingRepo {
    /// Commits on `master`, one of them tagged `v1`; the pipeline pins the newest.
    pub fn new(name: &str) -> Self {
        let folder = scratch();
        fs::create_dir_all(folder.path().join("served/lfs")).unwrap();
        let server = GitServer::serve(&folder.path().join("served"));
        let packaging = Self { folder, server };
        packaging.fill(name);
        packaging
    }

    fn fill(&self, name: &str) {
        let fixtures = root().join("tests/fixtures");
        let unique = format!("for {name} at {:?}", SystemTime::now());
        // Upstream's own repositories, of which the tarballs are archives.
        let qemu = self.upstream("upstream-qemu", &fixtures.join("toy-qemu"), &unique);
        let keys =
            self.upstream("upstream-keys", &fixtures.join("packaging/keycodemapdb"), &unique);
        let qemu_oid = self.archive("upstream-qemu", &qemu, "qemu-4.2.1", QEMU);
        let keys_oid = self.archive("upstream-keys", &keys, "ui/keycodemapdb", KEYCODEMAPDB);
        let (qemu_size, keys_size) = (self.size(&qemu_oid), self.size(&keys_oid));
        self.git("work", &["init", "--quiet", "--initial-branch=master", "."]);
        let work = self.work();
        fs::create_dir_all(work.join("SOURCES")).unwrap();
        fs::create_dir_all(work.join("SPECS")).unwrap();
        fs::write(work.join(".gitattributes"), "*.gz filter=lfs diff=lfs merge=lfs -text\n")
            .unwrap();
        let spec = fs::read_to_string(fixtures.join("toy-qemu.spec")).unwrap();
        let spec = spec.replace(
            "\nBuildRequires: gcc",
            "\nPatch0: 0001-say-who-is-speaking-CVE-2026-0001.patch\n\nBuildRequires: gcc",
        );
        fs::write(work.join("SPECS/qemu.spec"), format!("# {unique}\n{spec}")).unwrap();
        let patch = "0001-say-who-is-speaking-CVE-2026-0001.patch";
        fs::copy(fixtures.join("packaging").join(patch), work.join("SOURCES").join(patch)).unwrap();
        for (file, oid, size) in
            [(QEMU, &qemu_oid, qemu_size), (KEYCODEMAPDB, &keys_oid, keys_size)]
        {
            fs::write(work.join("SOURCES").join(file), pointer(oid, size)).unwrap();
        }
        self.commit("Import qemu-4.2.1-5.2.15");
        self.git("work", &["tag", "-a", "-m", "v1", "v1"]);
        fs::write(work.join("README.md"), "A stand-in.\n").unwrap();
        let commit = self.commit("Say what this is");
        fs::copy(root().join("device/vgpu-stub.c"), self.path("vgpu-stub.c")).unwrap();
        fs::copy(root().join("containers/debian-12.Containerfile"), self.path("Containerfile"))
            .unwrap();
        let text = fs::read_to_string(fixtures.join("packaging/pipeline.yaml")).unwrap();
        let text = text
            .replace("@NAME@", name)
            .replace("@FORGE@", self.server.url("").trim_end_matches('/'))
            .replace("@COMMIT@", &commit)
            .replace("@QEMU_SHA256@", &qemu_oid)
            .replace("@QEMU_SIZE@", &qemu_size.to_string())
            .replace("@KEYS_SHA256@", &keys_oid)
            .replace("@KEYS_SIZE@", &keys_size.to_string())
            .replace("@KEYS_COMMIT@", &keys)
            .replace("@ENVIRONMENT@", &crate::support::environment());
        fs::write(self.path("p.yaml"), text).unwrap();
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn work(&self) -> PathBuf {
        self.path("work")
    }

    /// The object of a tarball on the LFS server.
    pub fn object(&self, file: &str) -> PathBuf {
        let pointer = fs::read_to_string(self.work().join("SOURCES").join(file)).unwrap();
        let oid = pointer.lines().nth(1).unwrap().trim_start_matches("oid sha256:");
        self.path("served/lfs").join(oid)
    }

    /// The path of that object in the forge.
    pub fn object_path(&self, file: &str) -> String {
        format!("lfs/{}", self.object(file).file_name().unwrap().to_str().unwrap())
    }

    /// Puts an object on the LFS server, and its pointer where the working repository has sources.
    pub fn put_object(&self, file: &str, bytes: &[u8]) {
        let object = self.path("served/lfs/new");
        fs::write(&object, bytes).unwrap();
        let oid = sha256(&object);
        fs::rename(object, self.path("served/lfs").join(&oid)).unwrap();
        let size = u64::try_from(bytes.len()).unwrap();
        fs::write(self.work().join("SOURCES").join(file), pointer(&oid, size)).unwrap();
    }

    /// Replaces a piece of text, which has to be there, in a file.
    pub fn edit(&self, file: &str, from: &str, to: &str) -> &Self {
        let path = self.path(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "`{from}` is not in {file}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
        self
    }

    /// Commits everything, and pushes it to the forge.
    pub fn commit(&self, message: &str) -> String {
        self.git("work", &["add", "--all"]);
        self.git("work", &["commit", "--quiet", "--allow-empty", "-m", message]);
        self.publish();
        self.git("work", &["rev-parse", "HEAD"])
    }

    /// Commits everything, and has the pipeline pin that.
    pub fn pin(&self, message: &str) -> String {
        let before = self.git("work", &["rev-parse", "HEAD"]);
        let commit = self.commit(message);
        self.edit("p.yaml", &before, &commit);
        commit
    }

    /// Makes the forge's repository what the working one is.
    pub fn publish(&self) {
        let served = self.path("served/qemu.git");
        if served.exists() {
            fs::remove_dir_all(&served).unwrap();
        }
        let served = served.to_str().unwrap().to_owned();
        self.git("work", &["clone", "--quiet", "--bare", "--no-hardlinks", ".", &served]);
    }

    /// Runs git in a folder, without the LFS filter and with a fixed identity.
    pub fn git(&self, folder: &str, args: &[&str]) -> String {
        let folder = self.path(folder);
        fs::create_dir_all(&folder).unwrap();
        let mut command = Command::new("git");
        command.current_dir(folder).env("GIT_CONFIG_GLOBAL", "/dev/null");
        command.args(["-c", "user.name=Test", "-c", "user.email=test@localhost"]).args(args);
        String::from_utf8(ends_with(0, &mut command).stdout).unwrap().trim().to_owned()
    }

    /// The program on the pipeline, with a store of this test's own: what an earlier test fetched
    /// must not help.
    pub fn program(&self, command: &str) -> Command {
        let mut program = program();
        program
            .arg(command)
            .arg(self.path("p.yaml"))
            .env("VGPU_PIPELINE_STORE", self.path("store"));
        program
    }

    /// `run --until source`.
    pub fn fetch(&self) -> Command {
        let mut run = self.program("run");
        run.args(["--until", "source"]);
        run
    }

    fn upstream(&self, name: &str, files: &Path, unique: &str) -> String {
        let copy = ["--recursive", "--no-target-directory"];
        ends_with(0, Command::new("cp").args(copy).arg(files).arg(self.path(name)));
        fs::write(self.path(name).join("UNIQUE"), unique).unwrap();
        self.git(name, &["init", "--quiet", "--initial-branch=master", "."]);
        self.git(name, &["add", "--all"]);
        self.git(name, &["commit", "--quiet", "-m", "Release"]);
        let served = self.path(&format!("served/{name}.git"));
        self.git(name, &["clone", "--quiet", "--bare", ".", served.to_str().unwrap()]);
        self.git(name, &["rev-parse", "HEAD"])
    }

    /// The archive of a commit, put on the LFS server. Returns its oid.
    fn archive(&self, upstream: &str, commit: &str, prefix: &str, file: &str) -> String {
        let to = self.path(file);
        let make = format!("git archive --prefix={prefix}/ {commit} | gzip -n > {}", to.display());
        ends_with(0, Command::new("sh").args(["-c", &make]).current_dir(self.path(upstream)));
        let oid = sha256(&to);
        fs::rename(to, self.path("served/lfs").join(&oid)).unwrap();
        oid
    }

    fn size(&self, oid: &str) -> u64 {
        self.path("served/lfs").join(oid).metadata().unwrap().len()
    }
}

pub fn pointer(oid: &str, size: u64) -> String {
    format!("version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n")
}
