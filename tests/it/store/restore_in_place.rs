//! Backup and restore into an existing empty folder: a mount point, the working directory.

use super::maintenance::{contents, refused_as_unusable};
use super::{copy_folder, fill, options, scratch, sled_engine};
use sessiond::store::Engine;
use sessiond::store::data_folder::{check, restore};
use sessiond::store::maintenance::{NoAudit, Until};
use sessiond::store::sled::{self, Start};
use std::fs;

#[tokio::test]
async fn an_empty_folder_that_is_there_is_restored_into_in_its_place() {
    let folder = scratch();
    let data = folder.path().join("data");
    let engine = sled_engine(&data);
    let expected = fill(engine.as_ref(), 0..40).await;
    engine.snapshot().unwrap();
    let mount = folder.path().join("mount");
    fs::create_dir_all(mount.join("lost+found")).unwrap();
    engine.backup(&mount, &|_| {}).unwrap();
    assert!(mount.join("lost+found").exists() && !mount.join(".partial").exists());
    engine.close().await.unwrap();
    // A handle on the folder shows that it is still the same one afterwards, as a mount point must be.
    let place = folder.path().join("place");
    fs::create_dir_all(place.join(".partial").join("index")).unwrap();
    let before = fs::File::open(&place).unwrap().metadata().unwrap();
    restore(&mount, &place, Until::End, &options(), &|_| {}).unwrap();
    #[cfg(unix)]
    assert_eq!(
        std::os::unix::fs::MetadataExt::ino(&before),
        std::os::unix::fs::MetadataExt::ino(&place.metadata().unwrap())
    );
    assert!(!place.join(".partial").exists());
    assert!(contents(&place).await == (expected, Start::Clean));
    let message = refused_as_unusable(restore(&data, &place, Until::End, &options(), &|_| {}));
    assert!(message.contains("nothing is overwritten"), "{message}");
}

#[tokio::test]
async fn a_restore_that_was_killed_between_two_moves_is_recognised() {
    let folder = scratch();
    let data = folder.path().join("data");
    let engine = sled_engine(&data);
    let expected = fill(engine.as_ref(), 0..40).await;
    engine.close().await.unwrap();
    let mut names: Vec<_> = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort_by_key(|name| name == "identity");
    for moved in 0..=names.len() {
        let place = scratch();
        let partial = place.path().join(".partial");
        copy_folder(&data, &partial);
        for name in &names[..moved] {
            fs::rename(partial.join(name), place.path().join(name)).unwrap();
        }
        if moved == names.len() {
            assert!(contents(place.path()).await == (expected.clone(), Start::Clean));
            assert!(!partial.exists());
            continue;
        }
        let opened = sled::open(place.path(), &options()).map(drop);
        let checked = check(place.path(), &mut NoAudit, &|_| {}).map(drop);
        let restored = restore(place.path(), &folder.path().join("x"), Until::End, &options(), &|_| {}).map(drop);
        for result in [opened, checked, restored] {
            let message = refused_as_unusable(result);
            assert!(
                message.contains("was interrupted") && message.contains("repeat the operation"),
                "{moved}: {message}"
            );
        }
        assert!(!place.path().join("identity").exists());
    }
}
