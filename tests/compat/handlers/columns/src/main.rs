//! Drops columns of a CSV: DROPPED_COLUMNS="email,phone" in the environment names them.

use std::collections::HashSet;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use serde_json::{Value, json};

fn variable(name: &str) -> Result<String, Error> {
    std::env::var(name).map_err(|_| format!("{name} is not set").into())
}

/// The table without some columns. Fields are without quotes.
fn without(table: &str, dropped: &HashSet<&str>) -> String {
    let mut lines = table.lines();
    let header = lines.next().unwrap_or_default();
    let kept: Vec<bool> = header.split(',').map(|name| !dropped.contains(name)).collect();
    let keep = |line: &str| {
        let fields = line.split(',').zip(&kept).filter(|(_, kept)| **kept).map(|(field, _)| field);
        fields.collect::<Vec<_>>().join(",") + "\n"
    };
    std::iter::once(header).chain(lines).map(keep).collect()
}

/// Sends WriteGetObjectResponse.
fn respond(context: &Value, headers: &[(&str, &str)], body: &str) -> Result<(), Error> {
    let text = |name: &str| context[name].as_str().unwrap_or_default();
    let endpoint = variable("AWS_ENDPOINT_URL").unwrap_or_else(|_| {
        let region = std::env::var("AWS_REGION").unwrap_or_default();
        format!("https://{}.s3-object-lambda.{region}.amazonaws.com", text("outputRoute"))
    });
    let url = format!("{endpoint}/WriteGetObjectResponse");
    let identity = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        std::env::var("AWS_SESSION_TOKEN").ok(),
        None,
        "environment",
    )
    .into();
    let region = variable("AWS_REGION")?;
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(&region)
        .name("s3-object-lambda")
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()?
        .into();
    let mut headers = headers.to_vec();
    headers.push(("x-amz-request-route", text("outputRoute")));
    headers.push(("x-amz-request-token", text("outputToken")));
    headers.push(("x-amz-content-sha256", "UNSIGNED-PAYLOAD"));
    let signable =
        SignableRequest::new("POST", &url, headers.iter().copied(), SignableBody::UnsignedPayload)?;
    let (signed, _) = sign(signable, &parameters)?.into_parts();
    let mut request = ureq::post(&url);
    let added: Vec<(String, String)> =
        signed.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    for (name, value) in headers.iter().copied().chain(added.iter().map(|(n, v)| (n.as_str(), v.as_str()))) {
        request = request.header(name, value);
    }
    request.send(body)?;
    Ok(())
}

async fn handler(event: LambdaEvent<Value>) -> Result<Value, Error> {
    let context = &event.payload["getObjectContext"];
    let url = context["inputS3Url"].as_str().ok_or("no inputS3Url")?;
    let names = variable("DROPPED_COLUMNS")?;
    let dropped: HashSet<&str> = names.split(',').collect();
    match ureq::get(url).call() {
        Ok(mut found) => {
            let table = found.body_mut().read_to_string()?;
            respond(context, &[("x-amz-fwd-header-content-type", "text/csv")], &without(&table, &dropped))?;
        }
        Err(ureq::Error::StatusCode(status)) => {
            let status = status.to_string();
            respond(context, &[("x-amz-fwd-status", &status), ("x-amz-fwd-error-code", "CannotRead")], "")?;
        }
        Err(error) => return Err(error.into()),
    }
    Ok(json!({ "statusCode": 200 }))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    run(service_fn(handler)).await
}
