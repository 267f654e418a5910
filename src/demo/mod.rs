//! The demo: sample objects, one Object Lambda access point for each transform, and commands to paste.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::access_point::registrar::NewAccessPoint;
use crate::admin::object_lambdas::{self, ObjectLambdaSpec};
use crate::catalog::PublicAccessBlock;
use crate::context::App;
use crate::error::ApiError;
use crate::store::{
    NewBucket, NewObject, ObjectHeaders, Payload, StageOptions, StoreError, Tags, WriteCondition,
};

/// The bucket of the samples.
pub const BUCKET: &str = "demo";
/// The access point that every lens of the demo reads through.
pub const ACCESS_POINT: &str = "demo-ap";

/// A sample object.
#[derive(Debug)]
pub struct Sample {
    /// Key.
    pub key: &'static str,
    /// Content-Type.
    pub content_type: &'static str,
    /// Content-Encoding.
    pub content_encoding: Option<&'static str>,
    /// Bytes.
    pub bytes: &'static [u8],
}

const fn sample(key: &'static str, content_type: &'static str, bytes: &'static [u8]) -> Sample {
    Sample { key, content_type, content_encoding: None, bytes }
}

/// The samples; `data/samples/README.md` says where they come from.
pub const SAMPLES: &[Sample] = &[
    sample("photo.jpg", "image/jpeg", include_bytes!("../../data/samples/photo.jpg")),
    sample("logo.png", "image/png", include_bytes!("../../data/samples/logo.png")),
    sample("people.csv", "text/csv", include_bytes!("../../data/samples/people.csv")),
    sample("orders.jsonl", "application/jsonl", include_bytes!("../../data/samples/orders.jsonl")),
    sample("countries.csv", "text/csv", include_bytes!("../../data/samples/countries.csv")),
    sample("access.log", "text/plain", include_bytes!("../../data/samples/access.log")),
    Sample {
        content_encoding: Some("gzip"),
        ..sample("access.log.gz", "text/plain", include_bytes!("../../data/samples/access.log.gz"))
    },
];

/// A lens of the demo.
#[derive(Debug)]
pub struct Lens {
    /// Name of the Object Lambda access point.
    pub name: &'static str,
    /// The built-in transform.
    pub transform: &'static str,
    /// Its payload.
    pub payload: Value,
    /// The sample that it is shown on.
    pub key: &'static str,
    /// What it does, for the list that is printed.
    pub shows: &'static str,
}

/// The lenses, one for each transform at least.
#[must_use]
pub fn lenses() -> Vec<Lens> {
    let lens = |name, transform, payload, key, shows| Lens { name, transform, payload, key, shows };
    vec![
        lens("redacted", "redact", json!({}), "people.csv", "personal data masked"),
        lens(
            "postcard",
            "pipeline",
            json!({"steps": [
                {"name": "resize", "payload": {"width": 800, "allow": ["width", "height"]}},
                {"name": "watermark", "payload": {"text": "Refract", "position": "south-east", "allow": ["text"]}},
            ]}),
            "photo.jpg",
            "resized and watermarked; ?width=320 overrides",
        ),
        lens(
            "thumbnail",
            "resize",
            json!({"width": 320, "height": 320, "allow": ["width", "height", "fit", "format"]}),
            "photo.jpg",
            "a square thumbnail; ?width= and ?height= override",
        ),
        lens(
            "watermarked",
            "watermark",
            json!({"image": "logo.png", "position": "north-west", "opacity": 0.8}),
            "photo.jpg",
            "the logo on the full picture",
        ),
        lens("webp", "convert", json!({"to": "webp"}), "photo.jpg", "a JPEG as WebP"),
        lens("gzipped", "compress", json!({"algorithm": "gzip"}), "access.log", "compressed on the way out"),
        lens("unzipped", "decompress", json!({}), "access.log.gz", "decompressed on the way out"),
        lens("orders-csv", "convert", json!({"to": "csv"}), "orders.jsonl", "JSON lines as CSV"),
        lens(
            "german-orders",
            "filter",
            json!({"columns": ["id", "customer", "amount"], "where": [{"column": "country", "eq": "DE"}]}),
            "orders.jsonl",
            "only some rows and columns",
        ),
        lens(
            "orders-with-country",
            "augment",
            json!({"add": {"country_name": {
                "lookup": {"key": "countries.csv", "on": "country", "match": "code", "take": "name"},
            }}}),
            "orders.jsonl",
            "a column looked up in countries.csv",
        ),
        lens("original", "identity", json!({}), "photo.jpg", "passed through"),
    ]
}

/// Loads the samples and makes the points, as far as they are not there; answers the alias of each lens.
///
/// # Errors
/// What the store or the catalog answers.
pub async fn load(app: &App) -> Result<BTreeMap<&'static str, String>, ApiError> {
    let bucket = NewBucket {
        name: BUCKET.to_owned(),
        region: app.registrar.region.clone(),
        owner: app.registrar.account_id.clone(),
        ..NewBucket::default()
    };
    let bucket = match app.store.create_bucket(bucket).await {
        Err(StoreError::BucketExists) => app.store.bucket(BUCKET)?,
        made => made?,
    };
    for sample in SAMPLES {
        let body = Payload::Bytes(bytes::Bytes::from_static(sample.bytes));
        let staged = app.store.stage(body, StageOptions::default()).await?;
        let headers = ObjectHeaders {
            content_type: Some(sample.content_type.to_owned()),
            content_encoding: sample.content_encoding.map(str::to_owned),
            ..ObjectHeaders::default()
        };
        let object = NewObject { headers, ..NewObject::default() };
        app.store.put(&bucket, sample.key, staged, object, WriteCondition::default()).await?;
    }
    if app.registrar.find_access_point(&app.catalog.snapshot(), ACCESS_POINT).is_err() {
        let new = NewAccessPoint {
            name: ACCESS_POINT.to_owned(),
            bucket: BUCKET.to_owned(),
            bucket_account_id: None,
            public_access_block: PublicAccessBlock::default(),
            tags: Tags::new(),
        };
        app.registrar.create_access_point(new).await?;
    }
    let mut aliases = BTreeMap::new();
    for lens in lenses() {
        let spec = ObjectLambdaSpec {
            access_point: ACCESS_POINT.to_owned(),
            function: format!("{}{}", crate::function::builtin::PREFIX, lens.transform),
            payload: Some(lens.payload),
            actions: None,
            allowed_features: None,
        };
        let (_, made) = object_lambdas::write(app, lens.name.to_owned(), spec).await?;
        aliases.insert(lens.name, made.alias.clone());
    }
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_lens_for_every_transform() {
        let lenses = lenses();
        for name in refract_transforms::builtin_names() {
            assert!(lenses.iter().any(|lens| lens.transform == *name), "{name}");
        }
        for lens in lenses {
            assert!(SAMPLES.iter().any(|sample| sample.key == lens.key), "{}", lens.name);
        }
    }
}
