//! What a request is called in a log: `REST.`, the method, and what it is done to.

use http::{Method, request};

use crate::headers::AMZ_COPY_SOURCE;
use crate::s3::query_pairs;

/// Subresources with their names, first those that decide.
const NAMES: [(&str, &str); 27] = [
    ("acl", "ACL"),
    ("policy", "BUCKETPOLICY"),
    ("policyStatus", "BUCKETPOLICYSTATUS"),
    ("logging", "LOGGING_STATUS"),
    ("versioning", "VERSIONING"),
    ("versions", "BUCKETVERSIONS"),
    ("location", "LOCATION"),
    ("lifecycle", "LIFECYCLE"),
    ("cors", "CORS"),
    ("website", "WEBSITE"),
    ("notification", "NOTIFICATION"),
    ("encryption", "ENCRYPTION"),
    ("publicAccessBlock", "PUBLIC_ACCESS_BLOCK"),
    ("ownershipControls", "OWNERSHIP_CONTROLS"),
    ("requestPayment", "REQUEST_PAYMENT"),
    ("accelerate", "ACCELERATE"),
    ("object-lock", "OBJECT_LOCK_CONFIGURATION"),
    ("replication", "REPLICATION"),
    ("inventory", "INVENTORY"),
    ("analytics", "ANALYTICS"),
    ("metrics", "METRICS"),
    ("intelligent-tiering", "INTELLIGENT_TIERING"),
    ("legal-hold", "OBJECT_LOCK_LEGALHOLD"),
    ("retention", "OBJECT_LOCK_RETENTION"),
    ("attributes", "OBJECT_ATTRIBUTES"),
    ("torrent", "TORRENT"),
    ("restore", "RESTORE"),
];

/// The name of a request to a bucket, or to an object in it.
#[must_use]
pub fn name(request: &request::Parts, object: bool) -> String {
    let (mut uploads, mut upload_id, mut part, mut delete, mut tagging) = (false, false, false, false, false);
    let mut named = None;
    for (name, _) in query_pairs(request.uri.query().unwrap_or_default()) {
        match name.as_ref() {
            "uploads" => uploads = true,
            "uploadId" => upload_id = true,
            "partNumber" => part = true,
            "delete" => delete = true,
            "tagging" => tagging = true,
            name => {
                let known = NAMES.iter().position(|(known, _)| *known == name);
                named = named.into_iter().chain(known).min();
            }
        }
    }
    let copies = request.headers.contains_key(&AMZ_COPY_SOURCE);
    let method = &request.method;
    if *method == Method::OPTIONS {
        return "REST.OPTIONS.PREFLIGHT".to_owned();
    }
    let resource = match named.and_then(|at| NAMES.get(at)) {
        Some((_, name)) => name,
        None if tagging && object => "OBJECT_TAGGING",
        None if tagging => "TAGGING",
        None if uploads => "UPLOADS",
        None if upload_id && part && *method == Method::PUT => "PART",
        None if upload_id => "UPLOAD",
        None if delete && *method == Method::POST => "MULTI_OBJECT_DELETE",
        None if object => "OBJECT",
        None => "BUCKET",
    };
    // A copy is a method of its own here.
    let copies = copies && *method == Method::PUT && matches!(resource, "OBJECT" | "PART");
    format!("REST.{}.{resource}", if copies { "COPY" } else { method.as_str() })
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn requests_have_the_names_of_the_user_guide() {
        for (line, object, expected) in [
            ("GET /b/k", true, "REST.GET.OBJECT"),
            ("HEAD /b/k?versionId=1", true, "REST.HEAD.OBJECT"),
            ("GET /b/k?partNumber=1", true, "REST.GET.OBJECT"),
            ("PUT /b/k?partNumber=1&uploadId=2", true, "REST.PUT.PART"),
            ("POST /b/k?uploads", true, "REST.POST.UPLOADS"),
            ("POST /b/k?uploadId=2", true, "REST.POST.UPLOAD"),
            ("DELETE /b/k?uploadId=2", true, "REST.DELETE.UPLOAD"),
            ("GET /b?uploads", false, "REST.GET.UPLOADS"),
            ("POST /b?delete", false, "REST.POST.MULTI_OBJECT_DELETE"),
            ("GET /b?list-type=2", false, "REST.GET.BUCKET"),
            ("GET /b?versions&prefix=logging", false, "REST.GET.BUCKETVERSIONS"),
            ("GET /b?policy", false, "REST.GET.BUCKETPOLICY"),
            ("PUT /b?logging", false, "REST.PUT.LOGGING_STATUS"),
            ("PUT /b/k?tagging", true, "REST.PUT.OBJECT_TAGGING"),
            ("PUT /b?tagging", false, "REST.PUT.TAGGING"),
            ("OPTIONS /b/k", true, "REST.OPTIONS.PREFLIGHT"),
        ] {
            let (method, target) = line.split_once(' ').unwrap();
            let (parts, ()) = Request::builder().method(method).uri(target).body(()).unwrap().into_parts();
            assert_eq!(name(&parts, object), expected, "{line}");
        }
        let copy = Request::put("/b/k").header("x-amz-copy-source", "b/j").body(()).unwrap().into_parts().0;
        assert_eq!(name(&copy, true), "REST.COPY.OBJECT");
        let copy = Request::put("/b/k?partNumber=1&uploadId=2").header("x-amz-copy-source", "b/j");
        assert_eq!(name(&copy.body(()).unwrap().into_parts().0, true), "REST.COPY.PART");
    }
}
