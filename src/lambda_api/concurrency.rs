//! PutFunctionConcurrency, GetFunctionConcurrency, DeleteFunctionConcurrency, GetAccountSettings.

use http::StatusCode;
use serde_json::json;

use crate::catalog::FunctionKind;
use crate::function::package::{MAX_UNPACKED, MAX_ZIP};
use crate::function::platform::reserved;

use super::error::{constraint, invalid};
use super::wire::ConcurrencyDocument;
use super::{Answer, Call, LambdaPlane, json, no_content};

/// What functions without a share of their own must be left (Lambda quotas, "Concurrent executions").
pub(super) const UNRESERVED: u32 = 100;
/// Bytes of all packages, as AWS has it.
const CODE_STORAGE: u64 = 75 << 30;

pub(super) async fn put(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let document: ConcurrencyDocument = call.document()?;
    let asked = document.reserved_concurrent_executions.unwrap_or(-1);
    let Ok(asked) = u32::try_from(asked) else {
        let rule = "have value greater than or equal to 0";
        return Err(constraint("reservedConcurrentExecutions", &asked.to_string(), rule));
    };
    let all = plane.platform.concurrency();
    let set = plane.edit(&named.name, move |view, lambda| {
        let others = reserved(view) - lambda.own_concurrency();
        let provisioned = lambda.provisioned_total();
        if asked < provisioned {
            return Err(invalid(format!(
                "ReservedConcurrentExecutions {asked} should not be lower than function's total provisioned \
                 concurrency [{provisioned}]."
            )));
        }
        if asked.saturating_add(others) > all.saturating_sub(UNRESERVED.min(all / 2)) {
            return Err(invalid(format!(
                "Specified ReservedConcurrentExecutions for function decreases account's \
                 UnreservedConcurrentExecution below its minimum value of [{}].",
                UNRESERVED.min(all / 2)
            )));
        }
        lambda.reserved_concurrency = Some(asked);
        Ok(())
    });
    set.await?;
    Ok(json(StatusCode::OK, &json!({ "ReservedConcurrentExecutions": asked })))
}

pub(super) fn get(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let view = plane.catalog.snapshot();
    let answer = match plane.find(&view, &named.name)?.reserved_concurrency {
        Some(reserved) => json!({ "ReservedConcurrentExecutions": reserved }),
        None => json!({}),
    };
    Ok(json(StatusCode::OK, &answer))
}

pub(super) async fn delete(plane: &LambdaPlane, call: &Call<'_>) -> Answer {
    let named = plane.named(call)?;
    let unset = plane.edit(&named.name, |_, lambda| {
        lambda.reserved_concurrency = None;
        Ok(())
    });
    unset.await?;
    Ok(no_content())
}

pub(super) fn account(plane: &LambdaPlane) -> Answer {
    let view = plane.catalog.snapshot();
    let all = plane.platform.concurrency();
    let functions = view.functions.values().filter_map(|function| match &function.kind {
        FunctionKind::Lambda(lambda) => Some(lambda),
        FunctionKind::Builtin { .. }
        | FunctionKind::Wasm(_)
        | FunctionKind::Webhook(_)
        | FunctionKind::Aws(_) => None,
    });
    let (mut count, mut size) = (0_u64, 0_u64);
    for function in functions {
        count += 1;
        size += function.all_versions().map(|version| version.code.size).sum::<u64>();
    }
    let answer = json!({
        "AccountLimit": {
            "TotalCodeSize": CODE_STORAGE,
            "CodeSizeUnzipped": MAX_UNPACKED,
            "CodeSizeZipped": MAX_ZIP,
            "ConcurrentExecutions": all,
            "UnreservedConcurrentExecutions": all.saturating_sub(reserved(&view)),
        },
        "AccountUsage": { "TotalCodeSize": size, "FunctionCount": count },
    });
    Ok(json(StatusCode::OK, &answer))
}
