//! Turns the core's requests into storage calls, for both drivers. A driver adds only how it waits.

use super::reading::Reading;
use super::{Download, Listing, ListingQuery, Rename, Storage, Upload, Walk};
use mayfly_core::action::{NewFacts, StorageRequest};
use mayfly_core::error::StorageError;
use mayfly_core::event::StorageOutcome;
use mayfly_core::reaper::{ReaperOutcome, ReaperRequest};
use std::sync::Arc;

/// One session's hold on the storage: what it has open there.
pub struct SessionStorage {
    storage: Arc<dyn Storage>,
    download: Option<Box<dyn Download>>,
    upload: Option<Box<dyn Upload>>,
    /// The directories that are being listed, the one that is read now last.
    listings: Vec<Box<dyn Listing>>,
    reading: Option<Box<Reading>>,
}

impl SessionStorage {
    /// Nothing open yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, download: None, upload: None, listings: Vec::new(), reading: None }
    }

    /// What the next sending transfer sends. Taken, for it is open for one transfer only.
    pub fn take_download(&mut self) -> Option<Box<dyn Download>> {
        self.download.take()
    }

    /// What the receiving transfer writes to.
    pub fn take_upload(&mut self) -> Option<Box<dyn Upload>> {
        self.upload.take()
    }

    /// Gives the upload back after the transfer, to be published, kept or discarded.
    pub fn put_upload(&mut self, upload: Box<dyn Upload>) {
        self.upload = Some(upload);
    }

    /// Carries out one request. May block.
    ///
    /// # Errors
    /// The storage's; [`StorageError::Failed`] where nothing is open that the request needs.
    pub fn execute(&mut self, request: StorageRequest) -> Result<StorageOutcome, StorageError> {
        let storage = &self.storage;
        match request {
            StorageRequest::CheckExpiry { path } => return storage.check(&path).map(StorageOutcome::State),
            StorageRequest::SetExpiry { path, judged, expiry_s } => storage.set_expiry(&path, &judged, expiry_s)?,
            StorageRequest::MakeDirectory { path, record, replaces, quota } => {
                storage.make_directory(&path, &record, replaces.as_ref(), quota.as_ref())?;
            }
            StorageRequest::RemoveDirectory { path, judged } => storage.remove_directory(&path, judged.as_ref())?,
            StorageRequest::RemoveFile { path, unique } => storage.remove_file(&path, unique.as_deref())?,
            StorageRequest::Rename { from, to, replace, judged_from, judged_to, expiry_s, quota } => {
                storage.rename(&Rename {
                    from: &from,
                    to: &to,
                    replace,
                    judged_from: &judged_from,
                    judged_to: &judged_to,
                    expiry_s,
                    quota: quota.as_ref(),
                })?;
            }
            StorageRequest::OpenRead { path, offset_bytes, end_bytes } => {
                let (info, download) = storage.open_read(&path, offset_bytes, end_bytes)?;
                self.download = Some(download);
                return Ok(StorageOutcome::Opened(info));
            }
            StorageRequest::OpenWrite { path, base, announced_bytes, quota } => {
                let (info, upload) = storage.open_write(&path, base, announced_bytes, quota.as_ref())?;
                self.upload = Some(upload);
                return Ok(StorageOutcome::Opened(info));
            }
            StorageRequest::ReserveSpace { path, size_bytes, quota } => {
                storage.reserve(&path, size_bytes, quota.as_ref())?;
            }
            StorageRequest::Publish { replace, judged, expiry_s } => return self.publish(replace, &judged, expiry_s),
            StorageRequest::KeepPartial => self.upload.take().ok_or(StorageError::Failed)?.keep()?,
            StorageRequest::Discard => self.upload.take().ok_or(StorageError::Failed)?.discard(),
            StorageRequest::SetTimes { path, modified_s } => {
                storage.set_facts(&path, &NewFacts { modified_s: Some(modified_s), ..NewFacts::default() })?;
            }
            StorageRequest::SetFacts { path, facts } => storage.set_facts(&path, &facts)?,
            StorageRequest::AskRoom { path, quota } => {
                return Ok(StorageOutcome::Room { free_bytes: storage.free_bytes(&path, quota.as_ref())? });
            }
            StorageRequest::OpenReading { path, offset_bytes, length_bytes, purpose } => {
                let (info, download) = storage.open_read(&path, offset_bytes, None)?;
                self.reading = Some(Box::new(Reading::new(download, length_bytes, purpose)?));
                return Ok(StorageOutcome::Opened(info));
            }
            StorageRequest::ReadOn { bytes_max } => return self.read_on(bytes_max),
            StorageRequest::CloseReading => self.reading = None,
            StorageRequest::OpenListing { path, sort_entries_max, order, detail } => {
                self.listings.push(storage.open_listing(&path, ListingQuery { sort_entries_max, order, detail })?);
            }
            StorageRequest::ReadListing { entries_max } => {
                let (entries, end) = self.listings.last_mut().ok_or(StorageError::Failed)?.next(entries_max)?;
                if end {
                    self.listings.pop();
                }
                return Ok(StorageOutcome::Listed { entries, end });
            }
            StorageRequest::CloseListing => self.listings = Vec::new(),
            _ => return Err(StorageError::Failed),
        }
        Ok(StorageOutcome::Done)
    }

    fn read_on(&mut self, bytes_max: u64) -> Result<StorageOutcome, StorageError> {
        let mut reading = self.reading.take().ok_or(StorageError::Failed)?;
        let (read_bytes, result) = reading.step(bytes_max, self.upload.as_deref_mut())?;
        if result.is_none() {
            self.reading = Some(reading);
        }
        Ok(StorageOutcome::Read { read_bytes, result })
    }

    fn publish(
        &mut self,
        replace: bool,
        judged: &[mayfly_core::record::RecordAt],
        expiry_s: Option<i64>,
    ) -> Result<StorageOutcome, StorageError> {
        let upload = self.upload.as_mut().ok_or(StorageError::Failed)?;
        let outcome = upload.publish(replace, judged, expiry_s);
        if !matches!(outcome, Err(StorageError::Changed)) {
            self.upload = None;
        }
        outcome.map(StorageOutcome::Published)
    }
}

/// The reaper's hold on the storage: its walk.
pub struct ReaperStorage {
    storage: Arc<dyn Storage>,
    walk: Option<Box<dyn Walk>>,
}

impl ReaperStorage {
    /// No walk begun yet.
    #[must_use]
    pub fn new(storage: Arc<dyn Storage>) -> Self {
        Self { storage, walk: None }
    }

    /// Carries out one request. May block.
    ///
    /// # Errors
    /// The storage's.
    pub fn execute(&mut self, request: ReaperRequest) -> Result<ReaperOutcome, StorageError> {
        match request {
            ReaperRequest::ReadRecords { restart, records_max, tombstones_before_s, partials_before_s } => {
                if restart || self.walk.is_none() {
                    self.walk = Some(self.storage.walk()?);
                }
                let walk = self.walk.as_mut().ok_or(StorageError::Failed)?;
                let (found, end) = walk.next(records_max, tombstones_before_s, partials_before_s)?;
                if end {
                    self.walk = None;
                }
                Ok(ReaperOutcome::Records { found, end })
            }
            ReaperRequest::MoveToTrash { path, expiry_s } => {
                self.storage.move_to_trash(&path, expiry_s)?;
                Ok(ReaperOutcome::Done)
            }
            ReaperRequest::EmptyTrash { entries_max } => {
                let emptied = self.storage.empty_trash(entries_max)?;
                Ok(ReaperOutcome::Emptied { entries: emptied.entries, bytes: emptied.bytes, end: emptied.end })
            }
            _ => Err(StorageError::Failed),
        }
    }
}
