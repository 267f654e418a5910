//! How long one request takes against a hundred statements. The policies are compiled before.
//!
//! `cargo bench --bench policy`
#![allow(clippy::unwrap_used, clippy::panic, reason = "a benchmark may fail")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use refract::policy::{
    Context, Labelled, Policy, PolicyKind, PolicySet, PrincipalView, Request, evaluate, principal::CallerKind,
};

/// Statements in all policies together.
const STATEMENTS: usize = 100;
/// What one request may take.
const LIMIT: Duration = Duration::from_micros(20);

/// Statements that are about the request's action and resource, so that each is looked at to its end; the last allows.
fn document(statements: std::ops::Range<usize>, last: bool) -> String {
    let list: Vec<String> = statements
        .map(|number| {
            format!(
                r#"{{"Sid":"S{number}","Effect":"{}","Action":["s3:Get*","s3:List*"],
                     "Resource":["arn:aws:s3:::other-{number}/*","arn:aws:s3:::data/*/${{aws:username}}/*"],
                     "Condition":{{"StringLike":{{"s3:prefix":"team-{number}/*"}},
                                   "IpAddress":{{"aws:SourceIp":"10.{}.0.0/16"}}}}}}"#,
                if number % 2 == 0 { "Allow" } else { "Deny" },
                number % 250,
            )
        })
        .collect();
    let mut text = list.join(",");
    if last {
        text += r#",{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::data/*"}"#;
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{text}]}}"#)
}

fn main() {
    let parse = |text: String| Policy::parse(&text, PolicyKind::Boundary).unwrap();
    // A document may have 6,144 characters: a hundred statements are several policies, as they are in life.
    let policies: Vec<Policy> = (0..STATEMENTS)
        .step_by(20)
        .map(|from| parse(document(from..from + 20, from + 20 == STATEMENTS)))
        .collect();
    let labelled: Vec<Labelled<'_>> =
        policies.iter().map(|policy| Labelled { label: "a policy", policy }).collect();
    let principal = PrincipalView {
        kind: CallerKind::User,
        account_id: "000000000000",
        account_name: None,
        arn: "arn:aws:iam::000000000000:user/ada",
        principal_id: "AIDAADA",
        issuer_arn: None,
    };
    let context = Context::new()
        .with("aws:username", "ada")
        .with("aws:SourceIp", "192.0.2.1")
        .with("s3:prefix", "home/ada/")
        .with("aws:SecureTransport", "true");
    let resource = "arn:aws:s3:::data/2026/ada/report.csv";
    let request = Request { principal: &principal, action: "s3:GetObject", resource, context: &context };
    let set = PolicySet { identity: &labelled, same_account: true, ..PolicySet::default() };
    assert!(evaluate(&set, &request).is_allowed(), "{}", evaluate(&set, &request));
    // Short slices, and the best of many: what else the machine does is not what is measured.
    let rounds = 250_u32;
    let mut best = Duration::MAX;
    for _ in 0..400 {
        let started = Instant::now();
        for _ in 0..rounds {
            black_box(evaluate(black_box(&set), black_box(&request)));
        }
        best = best.min(started.elapsed() / rounds);
    }
    let count: usize = policies.iter().map(|policy| policy.statements().len()).sum();
    println!(
        "{count} statements: {:.2} µs a request (limit {} µs)",
        best.as_secs_f64() * 1e6,
        LIMIT.as_micros()
    );
    // `cargo test --benches` and an unoptimised build only see that it runs.
    if !cfg!(debug_assertions) {
        assert!(best < LIMIT, "a request takes {best:?}");
    }
}
