//! A disk of its own, which can be full.

use crate::powercut::{run, text};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A mounted image; unmounted and removed on drop.
pub(super) struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// A fresh file system of so many MiB.
    pub(super) fn make(folder: &Path, mib: u64) -> Self {
        let disk = Self { image: folder.join("disk.img"), mount: folder.join("disk") };
        File::create(&disk.image).unwrap().set_len(mib << 20).unwrap();
        // No blocks are kept back for root, who would get them.
        run("mkfs.ext4", &["-q", "-F", "-m", "0", text(&disk.image)]);
        fs::create_dir_all(&disk.mount).unwrap();
        run("mount", &["-o", "loop", text(&disk.image), text(&disk.mount)]);
        disk
    }

    pub(super) fn data(&self) -> PathBuf {
        self.mount.join("data")
    }

    fn ballast(&self) -> PathBuf {
        self.mount.join("ballast")
    }

    /// Leaves about so many bytes free.
    pub(super) fn fill_up_to(&self, left: u64) {
        let free = rustix::fs::statvfs(&self.mount).map(|disk| disk.f_bavail * disk.f_frsize).unwrap();
        let full = usize::try_from(free.saturating_sub(left)).unwrap();
        fs::write(self.ballast(), vec![1; full]).unwrap();
    }

    /// Takes the ballast away.
    pub(super) fn empty(&self) {
        fs::remove_file(self.ballast()).unwrap();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        run("umount", &[text(&self.mount)]);
        let _ = fs::remove_file(&self.image);
    }
}
