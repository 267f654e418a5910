//! Rows as they are kept in redb: a CRC-64/NVME (8 bytes, little-endian), a byte that says what it covers, then a named
//! MessagePack map, so that fields can be added.
//!
//! The CRC covers the table and the key as well, which redb itself does not check when it reads: a row that is found
//! under another key than it was written to is corrupt. Rows of format 1 have no such byte, and a CRC of the map alone.

use crc_fast::{CrcAlgorithm, Digest, checksum};
use redb::{Key, TableDefinition, TableHandle, Value};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::blob::BlobId;
use crate::store::{DeleteMarker, ObjectInfo, PartInfo, Result, StoreError, Version, VersionId};

/// Length of the CRC in front of a row.
const CRC_BYTES: usize = 8;
/// Follows the CRC where it covers table and key. MessagePack never uses this byte, and UTF-8 has none, so that it is in
/// no row of format 1 at this place.
const KEYED: u8 = 0xC1;

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

/// The CRC of a row: of its table, its key, and all that follows the CRC.
fn crc_of_row(table: &str, key: &[u8], body: &[u8]) -> u64 {
    let mut crc = Digest::new(CrcAlgorithm::Crc64Nvme);
    crc.update(table.as_bytes());
    // Tells where the key ends.
    crc.update(&(key.len() as u64).to_le_bytes());
    crc.update(key);
    crc.update(body);
    crc.finalize()
}

fn corrupt(table: &str, why: &str) -> StoreError {
    StoreError::Corrupt(format!("a row of {table} {why}"))
}

/// Where a row is kept.
type In<K, V> = TableDefinition<'static, K, V>;

/// Room for what stands in front of a row.
fn head() -> Vec<u8> {
    let mut bytes = vec![0; CRC_BYTES];
    bytes.push(KEYED);
    bytes
}

/// Writes the CRC in front of a row.
fn seal<K: Key, V: Value>(table: In<K, V>, key: &K::SelfType<'_>, mut bytes: Vec<u8>) -> Vec<u8> {
    if let Some((head, body)) = bytes.split_first_chunk_mut::<CRC_BYTES>() {
        *head = crc_of_row(table.name(), K::as_bytes(key).as_ref(), body).to_le_bytes();
    }
    bytes
}

/// What a row holds. [`StoreError::Corrupt`] where it does not match its CRC.
fn unseal<'b, K: Key, V: Value>(table: In<K, V>, key: &K::SelfType<'_>, bytes: &'b [u8]) -> Result<&'b [u8]> {
    let name = table.name();
    let (head, body) = bytes.split_first_chunk::<CRC_BYTES>().ok_or_else(|| corrupt(name, "is cut short"))?;
    let (crc, content) = match body.split_first() {
        Some((&KEYED, content)) => (crc_of_row(name, K::as_bytes(key).as_ref(), body), content),
        _ => (crc64(body), body),
    };
    if u64::from_le_bytes(*head) == crc {
        Ok(content)
    } else {
        Err(corrupt(name, "does not match its checksum"))
    }
}

/// A row as bytes, for a key of a table. An error stops the group it is in: what went before it may have changed
/// something.
pub(super) fn encode<K: Key, V: Value, T: Serialize>(
    table: In<K, V>,
    key: &K::SelfType<'_>,
    row: &T,
) -> Result<Vec<u8>> {
    let mut bytes = head();
    rmp_serde::encode::write_named(&mut bytes, row)
        .map_err(|error| StoreError::Engine(format!("a row cannot be written: {error}")))?;
    Ok(seal(table, key, bytes))
}

/// Bytes as a row. [`StoreError::Corrupt`] where they do not match their CRC, are another key's, or are not such a row.
pub(super) fn decode<K: Key, V: Value, T: DeserializeOwned>(
    table: In<K, V>,
    key: &K::SelfType<'_>,
    bytes: &[u8],
) -> Result<T> {
    rmp_serde::from_slice(unseal(table, key, bytes)?)
        .map_err(|error| corrupt(table.name(), &format!("cannot be read: {error}")))
}

/// A row of bytes that others understand.
pub(super) fn encode_bytes<K: Key, V: Value>(
    table: In<K, V>,
    key: &K::SelfType<'_>,
    value: &[u8],
) -> Vec<u8> {
    let mut bytes = head();
    bytes.extend_from_slice(value);
    seal(table, key, bytes)
}

/// The bytes of such a row. In format 1 it had no CRC.
pub(super) fn decode_bytes<'b, K: Key, V: Value>(
    table: In<K, V>,
    key: &K::SelfType<'_>,
    bytes: &'b [u8],
) -> Result<&'b [u8]> {
    if bytes.get(CRC_BYTES) == Some(&KEYED) { unseal(table, key, bytes) } else { Ok(bytes) }
}

/// A row as format 1 had it.
#[cfg(test)]
pub(super) fn encode_as_format_1<T: Serialize>(row: &T) -> Vec<u8> {
    let mut bytes = vec![0; CRC_BYTES];
    rmp_serde::encode::write_named(&mut bytes, row).unwrap();
    let (head, body) = bytes.split_first_chunk_mut::<CRC_BYTES>().unwrap();
    *head = crc64(body).to_le_bytes();
    bytes
}

#[cfg(test)]
mod tests {
    use super::super::tables::{OBJECTS, PARTS, RECORDS, UPLOADS};
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

    const KEY: &[u8] = b"12345678key";

    #[test]
    fn fields_can_be_added_and_taken_away() {
        let new: New = decode(OBJECTS, &KEY, &encode(OBJECTS, &KEY, &Old { a: 7 }).unwrap()).unwrap();
        assert_eq!((new.a, new.b), (7, None));
        let row = encode(OBJECTS, &KEY, &New { a: 8, b: Some("x".into()) }).unwrap();
        let old: Old = decode(OBJECTS, &KEY, &row).unwrap();
        assert_eq!(old.a, 8);
    }

    #[test]
    fn any_flipped_bit_is_corrupt() {
        let place = Place::Inline { id: 1, crc: 2 };
        let new = encode(OBJECTS, &KEY, &place).unwrap();
        for good in [new, encode_as_format_1(&place)] {
            let read = |bytes: &[u8]| decode::<_, _, Place>(OBJECTS, &KEY, bytes);
            assert_eq!(read(&good).unwrap(), place);
            for bit in 0..good.len() * 8 {
                let mut bad = good.clone();
                bad[bit / 8] ^= 1 << (bit % 8);
                assert!(matches!(read(&bad), Err(StoreError::Corrupt(_))), "bit {bit}");
            }
            for end in 0..good.len() {
                assert!(matches!(read(&good[..end]), Err(StoreError::Corrupt(_))), "{end} bytes");
            }
        }
    }

    #[test]
    fn a_row_under_another_key_is_corrupt() {
        let row = encode(OBJECTS, &KEY, &1).unwrap();
        for bit in 0..KEY.len() * 8 {
            let mut key = KEY.to_vec();
            key[bit / 8] ^= 1 << (bit % 8);
            assert!(decode::<_, _, u8>(OBJECTS, &key.as_slice(), &row).is_err(), "bit {bit}");
        }
        let row = encode(PARTS, &("upload", 1), &1).unwrap();
        assert_eq!(decode::<_, _, u8>(PARTS, &("upload", 1), &row).unwrap(), 1);
        assert!(decode::<_, _, u8>(PARTS, &("upload", 3), &row).is_err());
        assert!(decode::<_, _, u8>(PARTS, &("uploae", 1), &row).is_err());
        let row = encode(UPLOADS, &(1, "ab", "c"), &1).unwrap();
        assert!(decode::<_, _, u8>(UPLOADS, &(1, "a", "bc"), &row).is_err());
        assert!(decode::<_, _, u8>(UPLOADS, &(2, "ab", "c"), &row).is_err());
    }

    #[test]
    fn bytes_without_a_crc_are_read_as_they_are() {
        assert_eq!(decode_bytes(RECORDS, &("k", "n"), b"{\"as\":\"json\"}").unwrap(), b"{\"as\":\"json\"}");
        assert_eq!(decode_bytes(RECORDS, &("k", "n"), b"").unwrap(), b"");
        let row = encode_bytes(RECORDS, &("k", "n"), b"value");
        assert_eq!(decode_bytes(RECORDS, &("k", "n"), &row).unwrap(), b"value");
        assert!(decode_bytes(RECORDS, &("k", "o"), &row).is_err());
        assert!(decode_bytes(RECORDS, &("l", "n"), &row).is_err());
    }
}
