//! The plain S3 plane; the only folder that imports s3s.
