//! Random policies and requests, decided by this engine and by an independent one, statement by statement.
//!
//! Where the two differ, the other one does not do what AWS documents ("IAM JSON policy elements: Condition operators",
//! "… Variables and tags"), and the case has one of the marks below. A difference without a mark fails the test.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use refract::policy::{
    Context, Decision, Labelled, Outcome, Policy, PolicyKind, PolicySet, PrincipalView, Request, evaluate,
    principal::CallerKind,
};
use scratchstack_arn::Arn;
use scratchstack_aws_principal::{Principal, SessionData, SessionValue, User};
use serde_json::{Value, json};

/// Policies that are made; each is asked three times.
const POLICIES: usize = 3_000;

/// SplitMix64: the same cases on every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.next().is_multiple_of(one_in)
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[usize::try_from(self.next() % all.len() as u64).unwrap()]
    }

    fn some<'a, T>(&mut self, all: &'a [T], most: u64) -> Vec<&'a T> {
        (0..=self.next() % most).map(|_| self.pick(all)).collect()
    }
}

/// Why the two may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// A negated operator holds where the key is absent; to the other it does not.
    NegatedAbsent,
    /// A negated operator with several values holds where none of them matches; to the other, where one does not.
    NegatedSeveral,
    /// A variable without a value matches nothing; the other takes it for an empty text.
    NoValue,
    /// Without the Version of 2012 a variable is plain text; the other puts values into comparisons of text.
    OldVariables,
    /// A number is not equal to a text that is none; to the other it is, though its dates and ARNs are not.
    NoNumber,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Text,
    Arn,
    Number,
    Date,
    Flag,
    Address,
    Bytes,
    Null,
}

#[rustfmt::skip]
const OPERATORS: &[(&str, Type, bool)] = &[
    ("StringEquals", Type::Text, false), ("StringNotEquals", Type::Text, true),
    ("StringEqualsIgnoreCase", Type::Text, false), ("StringNotEqualsIgnoreCase", Type::Text, true),
    ("StringLike", Type::Text, false), ("StringNotLike", Type::Text, true),
    ("ArnEquals", Type::Arn, false), ("ArnNotEquals", Type::Arn, true),
    ("ArnLike", Type::Arn, false), ("ArnNotLike", Type::Arn, true),
    ("NumericEquals", Type::Number, false), ("NumericNotEquals", Type::Number, true),
    ("NumericLessThan", Type::Number, false), ("NumericLessThanEquals", Type::Number, false),
    ("NumericGreaterThan", Type::Number, false), ("NumericGreaterThanEquals", Type::Number, false),
    ("DateEquals", Type::Date, false), ("DateNotEquals", Type::Date, true),
    ("DateLessThan", Type::Date, false), ("DateLessThanEquals", Type::Date, false),
    ("DateGreaterThan", Type::Date, false), ("DateGreaterThanEquals", Type::Date, false),
    ("Bool", Type::Flag, false), ("BinaryEquals", Type::Bytes, false),
    ("IpAddress", Type::Address, false), ("NotIpAddress", Type::Address, true),
    ("Null", Type::Null, false),
];

/// Values of policies, by type.
fn wanted(kind: Type) -> &'static [&'static str] {
    match kind {
        Type::Text => &[
            "home",
            "HOME",
            "ho*",
            "h?me",
            "*",
            "a.b",
            "${aws:username}",
            "x${aws:username}y",
            "${*}",
            "xaday",
            "",
        ],
        Type::Arn => &[
            "arn:aws:s3:::data",
            "arn:aws:s3:::*",
            "arn:aws:iam::000000000000:user/${aws:username}",
            "arn:*:iam::*:user/ad?",
            "arn:aws:iam::000000000000:role/x",
        ],
        Type::Number => &["0", "7", "10", "-3"],
        Type::Date => &["2026-01-01T00:00:00Z", "2026-06-30T12:00:00Z", "2020-02-29T00:00:00+02:00"],
        Type::Flag | Type::Null => &["true", "false"],
        Type::Address => &["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "0.0.0.0/0"],
        Type::Bytes => &["aG9tZQ==", "eA=="],
    }
}

/// A key of each type, and the values that requests have for it.
fn key(kind: Type, random: &mut Random) -> &'static str {
    let keys: &[&str] = match kind {
        Type::Text => &["s3:prefix", "aws:PrincipalTag/team"],
        Type::Arn => &["aws:PrincipalArn", "aws:SourceArn"],
        Type::Number => &["s3:max-keys"],
        Type::Date => &["aws:CurrentTime"],
        Type::Flag => &["aws:SecureTransport"],
        Type::Address => &["aws:SourceIp"],
        Type::Bytes => &["s3:bytes"],
        Type::Null => &["s3:prefix", "aws:SourceIp", "s3:max-keys"],
    };
    random.pick::<&str>(keys)
}

const KEYS: &[(&str, Type, &[&str])] = &[
    ("s3:prefix", Type::Text, &["home", "HOME", "a.b", "axb", "xaday", "", "hme", "*", "ada"]),
    ("aws:PrincipalTag/team", Type::Text, &["home", "hoöo", "h\u{e9}me"]),
    (
        "aws:PrincipalArn",
        Type::Arn,
        &["arn:aws:iam::000000000000:user/ada", "arn:aws:iam::000000000000:role/x"],
    ),
    ("aws:SourceArn", Type::Arn, &["arn:aws:s3:::data", "no arn"]),
    ("s3:max-keys", Type::Number, &["0", "7", "8", "-3", "many"]),
    (
        "aws:CurrentTime",
        Type::Date,
        &["2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z", "2020-02-28T22:00:00Z"],
    ),
    ("aws:SecureTransport", Type::Flag, &["true", "false"]),
    ("aws:SourceIp", Type::Address, &["10.1.2.3", "192.0.2.7", "2001:db8::1", "::1"]),
    ("s3:bytes", Type::Bytes, &["aG9tZQ==", "eQ=="]),
    ("aws:username", Type::Text, &["ada", "*"]),
];

const ACTIONS: &[&str] =
    &["s3:GetObject", "s3:Get*", "s3:*", "*", "s3:PutObject", "s3:?etObject", "iam:GetUser", "s3:ListBucket"];
const RESOURCES: &[&str] = &[
    "*",
    "arn:aws:s3:::data/*",
    "arn:aws:s3:::data/a?c",
    "arn:aws:s3:::data/${aws:username}/*",
    "arn:aws:s3:::da*a/k",
    "arn:aws:s3:::other/*",
    "arn:aws:s3:::*",
    "arn:aws:s3:*:*:accesspoint/*",
];
const ASKED: &[&str] = &[
    "arn:aws:s3:::data/k",
    "arn:aws:s3:::data/abc",
    "arn:aws:s3:::data/ada/x/y",
    "arn:aws:s3:::data",
    "arn:aws:s3:::data/a:b/c",
    "arn:aws:s3:us-east-1:000000000000:accesspoint/ap/object/k",
];

/// One condition as it was made, to see its marks.
struct Made {
    operator: String,
    kind: Type,
    negated: bool,
    key: &'static str,
    values: Vec<&'static str>,
}

fn statement(random: &mut Random, made: &mut Vec<Made>, used: &mut Vec<String>) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("Effect".into(), json!(if random.chance(3) { "Deny" } else { "Allow" }));
    let actions = random.some(ACTIONS, 2);
    object.insert(if random.chance(5) { "NotAction" } else { "Action" }.into(), json!(actions));
    let resources = random.some(RESOURCES, 2);
    used.extend(resources.iter().map(|text| (**text).to_owned()));
    object.insert(if random.chance(6) { "NotResource" } else { "Resource" }.into(), json!(resources));
    let mut conditions = serde_json::Map::new();
    for _ in 0..random.next() % 3 {
        let (name, kind, negated) = *random.pick(OPERATORS);
        let if_exists = kind != Type::Null && random.chance(4);
        let operator = if if_exists { format!("{name}IfExists") } else { name.to_owned() };
        let key = key(kind, random);
        let values: Vec<&str> = random.some(wanted(kind), 2).into_iter().copied().collect();
        let slot = conditions.entry(operator.clone()).or_insert_with(|| json!({}));
        if slot.get(key).is_none() {
            slot[key] = json!(values);
            used.extend(values.iter().map(|text| (*text).to_owned()));
            made.push(Made { operator, kind, negated, key, values });
        }
    }
    if !conditions.is_empty() {
        object.insert("Condition".into(), Value::Object(conditions));
    }
    Value::Object(object)
}

/// What the other engine makes of a policy: its statements one by one, for its own evaluation of a whole policy stops at
/// the first that applies, and a denial behind an allowing statement would be passed over.
fn theirs(policy: &scratchstack_aspen::Policy, context: &scratchstack_aspen::Context) -> Outcome {
    use scratchstack_aspen::Decision as Their;
    let mut outcome = Outcome::ImplicitDeny;
    for statement in policy.statement().iter() {
        match statement.evaluate(context, policy.version()).unwrap() {
            Their::Deny => return Outcome::ExplicitDeny,
            Their::Allow => outcome = Outcome::Allow,
            Their::DefaultDeny => {}
        }
    }
    outcome
}

#[test]
fn an_independent_engine_agrees() {
    let mut random = Random(2026);
    let (mut operators, mut keys) = (BTreeMap::<String, [usize; 2]>::new(), BTreeMap::<&str, usize>::new());
    let mut marks = BTreeMap::<Mark, usize>::new();
    let mut outcomes = BTreeMap::<String, usize>::new();
    let (mut cases, mut plain) = (0, 0);
    for _ in 0..POLICIES {
        let (mut made, mut used) = (Vec::new(), Vec::new());
        let statements: Vec<Value> =
            (0..=random.next() % 3).map(|_| statement(&mut random, &mut made, &mut used)).collect();
        let new = !random.chance(8);
        let text = if new {
            json!({"Version": "2012-10-17", "Statement": statements})
        } else {
            json!({"Version": "2008-10-17", "Statement": statements})
        }
        .to_string();
        let ours =
            Policy::parse(&text, PolicyKind::Identity).unwrap_or_else(|error| panic!("{error}: {text}"));
        let other = scratchstack_aspen::Policy::from_str(&text).unwrap();
        for _ in 0..3 {
            let mut context = Context::new();
            let mut session = SessionData::new();
            let mut values = BTreeMap::new();
            for (key, kind, all) in KEYS {
                if random.chance(4) {
                    continue;
                }
                let value = *random.pick(all);
                values.insert(*key, value);
                context.set(key, value);
                let value = match kind {
                    Type::Flag => SessionValue::Bool(value == "true"),
                    Type::Address => SessionValue::IpAddr(value.parse().unwrap()),
                    Type::Bytes => {
                        SessionValue::Binary(data_encoding::BASE64.decode(value.as_bytes()).unwrap())
                    }
                    _ => SessionValue::String(value.to_owned()),
                };
                session.insert(key, value);
            }
            let (action, resource) =
                (*random.pick(&["s3:GetObject", "s3:PutObject", "s3:ListBucket"]), *random.pick(ASKED));
            let principal = PrincipalView {
                kind: CallerKind::User,
                account_id: "000000000000",
                account_name: None,
                arn: "arn:aws:iam::000000000000:user/ada",
                principal_id: "AIDAADA",
                issuer_arn: None,
            };
            let request = Request { principal: &principal, action, resource, context: &context };
            let labelled = [Labelled { label: "it", policy: &ours }];
            let set = PolicySet { identity: &labelled, same_account: true, ..PolicySet::default() };
            let decision: Decision<'_> = evaluate(&set, &request);
            let asked = scratchstack_aspen::Context::builder()
                .service("s3")
                .api(action.trim_start_matches("s3:"))
                .actor(Principal::from(User::from_str(principal.arn).unwrap()))
                .resources(vec![Arn::from_str(resource).unwrap()])
                .session_data(session)
                .build()
                .unwrap();
            let theirs = theirs(&other, &asked);
            let mut why = Vec::new();
            for one in &made {
                let absent = !values.contains_key(one.key);
                let slot = operators.entry(one.operator.clone()).or_default();
                slot[usize::from(absent)] += 1;
                *keys.entry(one.key).or_default() += 1;
                if one.negated && absent && one.kind != Type::Null && !one.operator.ends_with("IfExists") {
                    why.push(Mark::NegatedAbsent);
                }
                if one.negated && one.kind == Type::Number && values.get(one.key) == Some(&"many") {
                    why.push(Mark::NoNumber);
                }
                if one.negated && one.values.len() > 1 {
                    why.push(Mark::NegatedSeveral);
                }
            }
            let variables = used.iter().any(|text| text.contains("${"));
            if variables && new && !values.contains_key("aws:username") {
                why.push(Mark::NoValue);
            }
            if variables && !new {
                why.push(Mark::OldVariables);
            }
            cases += 1;
            plain += usize::from(why.is_empty());
            *outcomes.entry(format!("{:?}", decision.effect)).or_default() += 1;
            if decision.effect != theirs {
                assert!(
                    !why.is_empty(),
                    "{action} on {resource} with {values:?}: here {decision}, there {theirs:?}\n{text}"
                );
                why.sort_unstable();
                why.dedup();
                why.iter().for_each(|mark| *marks.entry(*mark).or_default() += 1);
            }
        }
    }
    println!("{cases} cases, {plain} of them without a mark: all agree; {outcomes:?}");
    println!("differences, by what explains them: {marks:?}");
    println!("operators, each with the key there and absent: {operators:?}");
    println!("keys: {keys:?}");
    let all = OPERATORS.len() * 2 - 1;
    assert_eq!(operators.len(), all, "every operator, with and without IfExists; Null has no IfExists");
    assert!(operators.values().all(|[there, absent]| there + absent >= 20));
    assert!(plain * 2 > cases && outcomes.len() == 3, "{plain} of {cases}");
}
