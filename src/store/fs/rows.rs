//! Rows as they are kept in redb: a CRC-64/NVME (8 bytes, little-endian), then a named MessagePack map, so that
//! fields can be added.

use crc_fast::{CrcAlgorithm, checksum};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::blob::BlobId;
use crate::store::{DeleteMarker, ObjectInfo, PartInfo, Result, StoreError, Version, VersionId};

/// Length of the CRC in front of a row.
const CRC_BYTES: usize = 8;

/// Where bytes are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Place {
    /// In the `inline` table, with the CRC-64/NVME of the bytes.
    Inline {
        /// Key in the table.
        id: u64,
        /// CRC of all the bytes.
        crc: u64,
    },
    /// In a file of their own.
    File {
        /// Names the file.
        id: BlobId,
    },
    /// In the parts of a completed upload.
    Parts {
        /// Id of the upload, whose rows in `parts` are exactly the object's parts.
        upload: String,
        /// The order of the parts where it is not ascending.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        order: Option<Vec<u16>>,
    },
}

/// A row of `objects`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ObjectRow {
    pub(super) info: ObjectInfo,
    pub(super) place: Place,
    /// Where it stands among the versions of its key: higher is newer. Nought without versioning.
    #[serde(default)]
    pub(super) order: u64,
}

/// A row of `versions`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) enum VersionRow {
    Object(Box<ObjectRow>),
    Marker(DeleteMarker),
}

impl VersionRow {
    /// Id of the version; `None` for the null version.
    pub(super) fn id(&self) -> Option<VersionId> {
        match self {
            Self::Object(row) => row.info.version,
            Self::Marker(marker) => marker.version,
        }
    }

    /// As a listing shows it.
    pub(super) fn into_version(self) -> Version {
        match self {
            Self::Object(row) => Version::Object(row.info.into()),
            Self::Marker(marker) => Version::Marker(marker),
        }
    }
}

/// A row of `parts`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PartRow {
    pub(super) info: PartInfo,
    pub(super) place: Place,
}

/// CRC-64/NVME.
pub(super) fn crc64(bytes: &[u8]) -> u64 {
    checksum(CrcAlgorithm::Crc64Nvme, bytes)
}

/// A row as bytes. An error stops the group it is in: what went before it may have changed something.
pub(super) fn encode<T: Serialize>(row: &T) -> Result<Vec<u8>> {
    let mut bytes = vec![0; CRC_BYTES];
    rmp_serde::encode::write_named(&mut bytes, row)
        .map_err(|error| StoreError::Engine(format!("a row cannot be written: {error}")))?;
    if let Some((head, body)) = bytes.split_first_chunk_mut::<CRC_BYTES>() {
        *head = crc64(body).to_le_bytes();
    }
    Ok(bytes)
}

/// Bytes as a row. [`StoreError::Corrupt`] where they do not match their CRC or are not such a row.
pub(super) fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let corrupt = |why: &str| StoreError::Corrupt(format!("a row in the database {why}"));
    let (head, body) = bytes.split_first_chunk::<CRC_BYTES>().ok_or_else(|| corrupt("is cut short"))?;
    if u64::from_le_bytes(*head) != crc64(body) {
        return Err(corrupt("does not match its checksum"));
    }
    rmp_serde::from_slice(body).map_err(|error| corrupt(&format!("cannot be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize)]
    struct Old {
        a: u8,
    }

    #[derive(Serialize, Deserialize)]
    struct New {
        a: u8,
        #[serde(default)]
        b: Option<String>,
    }

    #[test]
    fn fields_can_be_added_and_taken_away() {
        let new: New = decode(&encode(&Old { a: 7 }).unwrap()).unwrap();
        assert_eq!((new.a, new.b), (7, None));
        let old: Old = decode(&encode(&New { a: 8, b: Some("x".into()) }).unwrap()).unwrap();
        assert_eq!(old.a, 8);
    }

    #[test]
    fn any_flipped_bit_is_corrupt() {
        let place = Place::Inline { id: 1, crc: 2 };
        let good = encode(&place).unwrap();
        assert_eq!(decode::<Place>(&good).unwrap(), place);
        for bit in 0..good.len() * 8 {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            assert!(matches!(decode::<Place>(&bad), Err(StoreError::Corrupt(_))), "bit {bit}");
        }
        for end in 0..good.len() {
            assert!(matches!(decode::<Place>(&good[..end]), Err(StoreError::Corrupt(_))), "{end} bytes");
        }
    }
}
