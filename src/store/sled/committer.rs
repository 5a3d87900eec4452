//! The committer: one thread that owns all writes.
//!
//! It takes every waiting transaction, checks what each has read, appends one frame for all of them to the journal,
//! waits for the disk once, makes the writes visible in the index, and then wakes all callers at once. The group size
//! adapts to the load: what arrives during one disk wait forms the next group.

use super::flusher;
use super::journal::frame::{self, Kind};
use super::journal::{AppendError, JournalWriter};
use super::queue::{Add, Control, Replacement, Request};
use super::recent::RecentWrites;
use super::reindex;
use super::shared::{self, SledShared};
use super::space::{Lack, Space};
use super::sums::Sums;
use super::view::View;
use crate::store::{CommitError, StoreError};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use tokio::sync::oneshot;

/// A group is closed at this size; one large transaction alone may be larger.
const GROUP_BYTES: usize = 8 << 20;
/// This many segments since the newest snapshot trigger another one, however small they are.
const MANY_SEGMENTS: u64 = 64;

/// Runs until closed; a failure or a panic ends the store with an error.
pub(super) fn run(shared: &SledShared, writer: JournalWriter, last_time: u64) {
    let outcome = catch_unwind(AssertUnwindSafe(|| Committer::new(shared, writer, last_time).run()));
    match outcome {
        Ok(Ok(())) => {}
        Ok(Err(error)) => shared.fail(&error.to_string()),
        Err(_) => shared.fail("the committer panicked"),
    }
}

struct Committer<'a> {
    shared: &'a SledShared,
    writer: JournalWriter,
    recent: RecentWrites,
    frame: Vec<u8>,
    last_time: u64,
    space: Space,
    /// True if the last attempt to start a new segment failed and this has been logged.
    unrotated: bool,
}

/// The replies to the callers of a group, sent all at once at its end.
#[derive(Default)]
struct Verdicts {
    accepted: Vec<oneshot::Sender<Result<(), CommitError>>>,
    refused: Vec<(oneshot::Sender<Result<(), CommitError>>, CommitError)>,
}

impl<'a> Committer<'a> {
    fn new(shared: &'a SledShared, writer: JournalWriter, last_time: u64) -> Self {
        let last = writer.next() - 1;
        Self {
            shared,
            writer,
            recent: RecentWrites::new(last),
            frame: Vec::new(),
            last_time,
            space: Space::default(),
            unrotated: false,
        }
    }

    fn run(mut self) -> Result<(), StoreError> {
        let mut requests = Vec::new();
        loop {
            // Requests deferred from the last group must not wait for new ones.
            let urgent = !requests.is_empty();
            let controls = self.shared.queue.take(&mut requests, urgent);
            if controls.is_empty() && requests.is_empty() {
                return Ok(());
            }
            self.shared.set_group_active(true);
            if !requests.is_empty() {
                requests = self.group(requests)?;
            }
            for control in controls {
                match control {
                    Control::Rotate(reply) => {
                        let _ = reply.send(self.rotate());
                        self.stop_if_poisoned()?;
                    }
                    Control::Exchange(replacement) => {
                        self.exchange(replacement);
                        self.stop_if_poisoned()?;
                    }
                    Control::Flush => flusher::freeze(self.shared)?,
                    Control::Close(reply) => {
                        while !requests.is_empty() {
                            requests = self.group(requests)?;
                        }
                        let _ = reply.send(self.close());
                        self.shared.set_group_active(false);
                        return Ok(());
                    }
                }
            }
            self.shared.set_group_active(false);
        }
    }

    /// Commits as many of `requests` as fit into one frame; returns the rest.
    fn group(&mut self, requests: Vec<Request>) -> Result<Vec<Request>, StoreError> {
        let number = self.writer.next();
        let mut verdicts = Verdicts::default();
        let mut later = Vec::new();
        let mut sums = Sums::default();
        let mut frame = std::mem::take(&mut self.frame);
        frame::start(&mut frame);
        for request in requests {
            if frame.len() > GROUP_BYTES || !later.is_empty() && frame.len() + request.body.len() > GROUP_BYTES {
                later.push(request);
                continue;
            }
            match self.check(&request, number, &mut sums) {
                Ok(Check::Holds) => {
                    for hash in request.written.iter().chain(request.adds.iter().map(|add| &add.hash)) {
                        self.recent.remember(*hash, number);
                    }
                    sums.add(&request.adds);
                    frame.extend_from_slice(&request.body);
                    verdicts.accepted.push(request.reply);
                }
                Ok(Check::Later) => later.push(request),
                Ok(Check::Changed) => verdicts.refused.push((request.reply, CommitError::Conflict)),
                Err(error) => verdicts.refused.push((request.reply, error.into())),
            }
        }
        sums.push_writes(&mut frame);
        let outcome = self.write(&mut frame, number);
        if matches!(outcome, Ok(Err(_))) {
            // The number will be reused: forget which keys were written under it.
            self.recent = RecentWrites::new(number - 1);
        }
        if frame.capacity() <= 2 * GROUP_BYTES {
            self.frame = frame;
        }
        self.answer(verdicts, outcome)?;
        Ok(later)
    }

    /// Checks whether what the transaction read is still current, including the group so far.
    fn check(&self, request: &Request, number: u64, sums: &mut Sums) -> Result<Check, StoreError> {
        let known = request.begin >= self.recent.complete_after();
        for read in &request.reads {
            let last = self.recent.last_write(read.hash);
            if last == Some(number) {
                return Ok(Check::Changed);
            }
            if known && (last.is_none() || last == read.seen) {
                continue;
            }
            let view = self.shared.view()?;
            let now = view.as_ref().map_or(Ok(None), |view| view.frame_at(&read.key))?;
            if now != read.seen {
                return Ok(Check::Changed);
            }
        }
        // A frame holds at most one write per key; all additions to one key are one write.
        let again = |hash: &u64| self.recent.last_write(*hash) == Some(number);
        let written = |add: &Add| again(&add.hash) && !sums.has(&add.key);
        if request.written.iter().any(again) || request.adds.iter().any(written) {
            return Ok(Check::Later);
        }
        let view = self.shared.view()?;
        let Some(view) = view.as_ref() else { return Err(shared::closed()) };
        sums.load(view, &request.adds)?;
        Ok(Check::Holds)
    }

    /// Makes the frame durable and visible. The inner `Err` means that there is no room for it and nothing has changed.
    fn write(&mut self, frame: &mut Vec<u8>, number: u64) -> Result<Result<(), Lack>, StoreError> {
        if frame.len() == frame::HEADER {
            return Ok(Ok(()));
        }
        if let Some(lack) = self.space.lack_for(frame.len(), self.shared) {
            return Ok(Err(lack));
        }
        let body_end = frame.len();
        // The clock's time even if it was set back: a clock that was once ahead must not affect the times of later
        // frames.
        let now = self.shared.clock.now().0;
        frame::finish(frame, number, now, Kind::Data);
        match self.writer.append(frame) {
            Ok(()) => {}
            Err(AppendError::Full(lack)) => {
                self.space.mark_full(lack);
                return Ok(Err(lack));
            }
            Err(AppendError::Broken(error)) => return Err(error),
        }
        self.last_time = now;
        self.writer.acknowledge();
        self.publish(frame.get(frame::HEADER..body_end).unwrap_or_default(), number)?;
        self.after_group(frame.len() as u64)?;
        Ok(Ok(()))
    }

    fn publish(&self, body: &[u8], number: u64) -> Result<(), StoreError> {
        let shared = self.shared;
        let view = shared.view()?;
        let Some(view) = view.as_ref() else { return Err(shared::closed()) };
        shared.epoch.fetch_add(1, Ordering::AcqRel);
        for write in frame::writes(body) {
            view.young.put(number, &write.map_err(|malformed| malformed.of(number))?);
        }
        shared.published.store(number, Ordering::Release);
        shared.epoch.fetch_add(1, Ordering::AcqRel);
        flusher::make_room(shared)
    }

    /// After a group: counts it, and starts a new segment or requests a snapshot when due.
    fn after_group(&mut self, bytes: u64) -> Result<(), StoreError> {
        let counters = &self.shared.counters;
        counters.groups.fetch_add(1, Ordering::Relaxed);
        let grown = counters.since_snapshot.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if self.writer.size() >= self.shared.segment_bytes {
            match self.rotate() {
                Ok(_) => self.unrotated = false,
                Err(error) => {
                    self.stop_if_poisoned()?;
                    // The disk is full or no file handle is available: the old segment stays in use and grows.
                    if !std::mem::replace(&mut self.unrotated, true) {
                        tracing::warn!(%error, "no new journal segment can be started; the old one grows");
                    }
                }
            }
        }
        let segments = counters.segments_since_snapshot.load(Ordering::Relaxed);
        if grown >= self.shared.snapshot_at.load(Ordering::Relaxed) || segments >= MANY_SEGMENTS {
            self.shared.housekeeping.raise();
        }
        Ok(())
    }

    fn answer(&self, verdicts: Verdicts, outcome: Result<Result<(), Lack>, StoreError>) -> Result<(), StoreError> {
        let counters = &self.shared.counters;
        counters.conflicts.fetch_add(verdicts.refused.len() as u64, Ordering::Relaxed);
        for (reply, error) in verdicts.refused {
            let _ = reply.send(Err(error));
        }
        match outcome {
            Ok(Ok(())) => {
                counters.commits.fetch_add(verdicts.accepted.len() as u64, Ordering::Relaxed);
                for reply in verdicts.accepted {
                    let _ = reply.send(Ok(()));
                }
                Ok(())
            }
            Ok(Err(lack)) => {
                for reply in verdicts.accepted {
                    let _ = reply.send(Err(lack.error(&self.shared.folder.root).into()));
                }
                Ok(())
            }
            Err(error) => {
                let reason = error.to_string();
                self.shared.queue.stop(&reason);
                for reply in verdicts.accepted {
                    let _ = reply.send(Err(StoreError::Stopped { reason: reason.clone() }.into()));
                }
                Err(error)
            }
        }
    }

    fn rotate(&mut self) -> Result<u64, StoreError> {
        self.writer.rotate(self.shared.clock.now().0)?;
        self.shared.counters.segments_since_snapshot.fetch_add(1, Ordering::Relaxed);
        Ok(self.writer.next() - 1)
    }

    /// Brings a new index up to date and takes it into use, between two frames. Readers see the same rows before and
    /// after, written by the same frames.
    fn exchange(&mut self, replacement: Replacement) {
        let Replacement { index, frame, reply } = replacement;
        let done = flusher::wait(self.shared).and_then(|()| self.rotate()).and_then(|last| {
            reindex::catch_up(&index, self.shared, frame, last)?;
            let old = self.shared.view.swap(Some(Arc::new(View::of(index)))).ok_or_else(shared::closed)?;
            Ok(Arc::clone(&old.index))
        });
        let _ = reply.send(done);
    }

    fn stop_if_poisoned(&self) -> Result<(), StoreError> {
        match self.writer.poison_reason() {
            Some(reason) => Err(StoreError::Stopped { reason: reason.to_owned() }),
            None => Ok(()),
        }
    }

    fn close(&mut self) -> Result<(u64, u64), StoreError> {
        flusher::wait(self.shared)?;
        self.shared.queue.stop("it was closed");
        self.writer.close()?;
        let last = self.writer.next() - 1;
        let view = self.shared.view()?;
        if let Some(view) = view.as_ref() {
            flusher::flush(&view.index, &view.young, &mut || Ok(()))?;
            view.index.set_frame(last)?;
        }
        Ok((last, self.last_time))
    }
}

/// The result of checking whether a transaction may commit.
enum Check {
    Holds,
    Changed,
    Later,
}
