//! A separate disk that can be filled.

use crate::powercut::{run, text};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// A mounted image; unmounted and removed on drop.
pub(super) struct Disk {
    image: PathBuf,
    mount: PathBuf,
}

impl Disk {
    /// A fresh file system of this many MiB.
    pub(super) fn make(folder: &Path, mib: u64) -> Self {
        let disk = Self { image: folder.join("disk.img"), mount: folder.join("disk") };
        File::create(&disk.image).unwrap().set_len(mib << 20).unwrap();
        // No blocks are reserved for root, who could use them.
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

    /// Leaves about this many bytes free.
    pub(super) fn fill_up_to(&self, left: u64) {
        let free = rustix::fs::statvfs(&self.mount).map(|disk| disk.f_bavail * disk.f_frsize).unwrap();
        let full = usize::try_from(free.saturating_sub(left)).unwrap();
        fs::write(self.ballast(), vec![1; full]).unwrap();
    }

    /// Removes the ballast.
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
