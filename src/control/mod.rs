//! The S3 Control plane: REST-XML under `/v20180820/`.
