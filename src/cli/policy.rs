//! `refract policy`.

use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Map, Value, json};

use super::client::{self, Server};
use super::{Failure, Outcome};

#[derive(Debug, Args)]
pub(super) struct Policy {
    #[command(flatten)]
    server: Server,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Says whether somebody may do something, and which statement decides
    Explain {
        /// Who: the ARN of a root, user, role or session, an access key id, or `anonymous`
        #[arg(long)]
        principal: String,
        /// What: `s3:GetObject`
        #[arg(long)]
        action: String,
        /// To what: an ARN
        #[arg(long)]
        resource: String,
        /// A condition key of the request; may be repeated, also for a further value of the same key
        #[arg(long = "context", value_name = "KEY=VALUE")]
        context: Vec<String>,
        /// Identity policy to take instead of those that are stored: JSON, or @FILE; may be repeated
        #[arg(long, value_parser = client::json)]
        identity: Vec<Value>,
        /// Permissions boundary to take instead: JSON, or @FILE
        #[arg(long, value_parser = client::json)]
        boundary: Option<Value>,
        /// Policy of the resource to take instead: JSON, or @FILE
        #[arg(long, value_parser = client::json)]
        resource_policy: Option<Value>,
        /// Show the whole answer, a JSON document
        #[arg(long)]
        json: bool,
    },
}

pub(super) fn run(command: Policy) -> Outcome {
    let Action::Explain { principal, action, resource, context, identity, boundary, resource_policy, json } =
        command.action;
    let mut keys = Map::new();
    for pair in context {
        let (key, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::new(format!("--context {pair}: must have the form KEY=VALUE")))?;
        let values = keys.entry(key).or_insert_with(|| Value::Array(Vec::new()));
        if let Value::Array(values) = values {
            values.push(value.into());
        }
    }
    let identity = if identity.is_empty() { Value::Null } else { Value::Array(identity) };
    let body = json!({
        "principal": principal, "action": action, "resource": resource, "context": keys,
        "simulate": { "identity": identity, "boundary": boundary, "resource": resource_policy },
    });
    let answer = command.server.ask(&Method::POST, "/policy/explain", Some(&body))?;
    if json {
        println!("{}", serde_json::to_string_pretty(&answer)?);
        return Ok(());
    }
    print!("{}", in_words(&answer));
    Ok(())
}

/// The answer as a few lines.
fn in_words(answer: &Value) -> String {
    let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
    let verdict = |value: &Value| if value["allowed"] == true { "allowed" } else { "denied" };
    let mut out = format!("{}: {}\n", verdict(answer), text(answer, "reason"));
    for gate in answer["gates"].as_array().into_iter().flatten() {
        out += &format!("\n{} on {}\n  {}: ", text(gate, "action"), text(gate, "resource"), verdict(gate));
        out += &format!("{}\n", text(gate, "reason"));
        for statement in gate["statements"].as_array().into_iter().flatten() {
            out += &format!("  - {}: {}\n", text(statement, "policy"), text(statement, "words"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_gate_by_gate() {
        let answer = json!({
            "allowed": false, "reason": "no statement allows it",
            "gates": [{"action": "s3:GetObject", "resource": "arn:aws:s3:::b/k", "allowed": false,
                "reason": "no statement allows it",
                "statements": [{"policy": "the policy A", "applies": false, "words": "statement 1 does not apply"}]}],
        });
        assert_eq!(
            in_words(&answer),
            "denied: no statement allows it\n\ns3:GetObject on arn:aws:s3:::b/k\n  denied: no statement allows it\n  - \
             the policy A: statement 1 does not apply\n"
        );
    }
}
