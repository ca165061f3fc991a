//! The table of a mirror's fields, the definitions of the kinds, and the contract name the same fields.

use std::collections::BTreeSet;

use racetrap_history::mirror_fields;
use serde_json::Value;

use super::Tree;

/// The kinds of mirrors: resource, definition in the reference daemon, and promise of the contract.
const KINDS: [(&str, &str, &str); 3] = [
    ("containers", "fixtures/daemon/src/cluster/manifests/container.yaml", "3.6.9"),
    ("images", "fixtures/daemon/src/cluster/manifests/image.yaml", "3.6.12"),
    ("volumes", "fixtures/daemon/src/cluster/manifests/volume.yaml", "3.6.14"),
];
const CONTRACT: &str = "docs/contract/3-api.md";
const TABLE: &str = "harness/history/src/mirror/fields.rs";

pub(super) fn every_field_of_a_mirror_is_in_the_table(tree: &Tree) -> Vec<String> {
    let mut wrong = Vec::new();
    for (resource, definition, promise) in KINDS {
        let table: BTreeSet<_> = mirror_fields(resource).iter().map(|field| field.name).collect();
        let defined = defined_fields(&tree[definition]);
        let promised = promised_fields(&tree[CONTRACT], promise);
        for (place, fields) in [(definition, &defined), (CONTRACT, &promised)] {
            let missing = fields.iter().filter(|field| !table.contains(field.as_str()));
            wrong.extend(missing.map(|field| {
                format!("{place}: {field} of {resource} is neither compared nor listed")
            }));
        }
        let stale = table.iter().filter(|field| !defined.contains(**field));
        wrong.extend(stale.map(|field| format!("{TABLE}: {resource} have no field {field}")));
    }
    wrong
}

/// The properties of `status` in a definition.
fn defined_fields(definition: &str) -> BTreeSet<String> {
    let definition: Value = serde_yaml::from_str(definition).expect("a definition is YAML");
    let status = "/spec/versions/0/schema/openAPIV3Schema/properties/status/properties";
    let status = definition.pointer(status).and_then(Value::as_object);
    status.expect("a definition has a status").keys().cloned().collect()
}

/// The fields of `status` that a promise of the contract names: what it has in backquotes after the
/// words "`status` has", and each `status.NAME`.
fn promised_fields(contract: &str, promise: &str) -> BTreeSet<String> {
    let start = contract.find(&format!("- **{promise}** ")).expect("the contract has the promise");
    let text = &contract[start..];
    let text = &text[..text[1..].find("\n- **").map_or(text.len(), |end| end + 1)];
    let quoted = |text: &str| -> Vec<String> {
        text.split('`').skip(1).step_by(2).map(str::to_owned).collect()
    };
    let (before, listed) = text.split_once("`status` has").expect("the promise lists the fields");
    let single = quoted(before).into_iter();
    let single = single.filter_map(|word| Some(word.strip_prefix("status.")?.to_owned()));
    single.chain(quoted(listed)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::this_repository;
    use super::*;

    // A field that only the definition has, one that only the contract has, and one that is gone.
    #[test]
    fn a_field_that_nobody_lists_is_found() {
        let mut tree = this_repository();
        let definition = tree.get_mut(KINDS[2].1).expect("it is there");
        *definition = definition.replace("scope: {type: string}", "extent: {type: string}");
        let contract = tree.get_mut(CONTRACT).expect("it is there");
        *contract = contract.replace("`labels` and `options`", "`labels` and `usage`");
        assert_eq!(
            every_field_of_a_mirror_is_in_the_table(&tree),
            [
                format!("{}: extent of volumes is neither compared nor listed", KINDS[2].1),
                format!("{CONTRACT}: usage of volumes is neither compared nor listed"),
                format!("{TABLE}: volumes have no field scope"),
            ]
        );
    }
}
