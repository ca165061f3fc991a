//! Values that mean the same must have equal texts, and no others.

use rstest::rstest;
use serde_json::{Value, json};

use super::Form;

#[rstest]
#[case(Form::Text, Value::Null, json!(""))]
#[case(Form::Number, Value::Null, json!(0))]
#[case(Form::Time, json!("2026-01-02T03:04:05.9Z"), json!("2026-01-02T03:04:05Z"))]
#[case(Form::Time, json!("0001-01-01T00:00:00Z"), Value::Null)]
#[case(Form::List, json!([]), Value::Null)]
#[case(Form::Set, json!(["b", "a"]), json!(["a", "b"]))]
#[case(Form::Map, json!({}), Value::Null)]
#[case(Form::Ports, json!([]), Value::Null)]
#[case(Form::Ports, json!([{"name": "2/tcp", "bindings": []}, {"name": "1/udp"}]),
    json!([{"name": "1/udp"}, {"name": "2/tcp"}]))]
#[case(Form::Ports,
    json!([{"name": "1/udp", "bindings": [{"hostIP": "b", "hostPort": "1"}, {"hostIP": "a", "hostPort": "2"}]}]),
    json!([{"name": "1/udp", "bindings": [{"hostIP": "a", "hostPort": "2"}, {"hostIP": "b", "hostPort": "1"}]}]))]
fn values_that_mean_the_same_are_equal(#[case] form: Form, #[case] a: Value, #[case] b: Value) {
    assert_eq!(form.text(Some(&a)), form.text(Some(&b)));
    if b.is_null() {
        assert_eq!(form.text(None), form.text(Some(&b)));
    }
}

#[rstest]
#[case(Form::Text, json!("a"), Value::Null)]
#[case(Form::Number, json!(77), json!(0))]
#[case(Form::Time, json!("2026-01-02T03:04:05Z"), json!("2026-01-02T03:04:06Z"))]
#[case(Form::Time, json!("2026-01-02T03:04:05Z"), Value::Null)]
#[case(Form::List, json!(["a", "b"]), json!(["b", "a"]))]
#[case(Form::Set, json!(["a"]), json!(["a", "b"]))]
#[case(Form::Map, json!({"a": "b"}), json!({"a": "c"}))]
#[case(Form::Ports, json!([{"name": "1/udp"}]), json!([{"name": "1/tcp"}]))]
#[case(Form::Ports, json!([{"name": "1/udp"}]),
    json!([{"name": "1/udp", "bindings": [{"hostIP": "a", "hostPort": "1"}]}]))]
fn values_that_differ_are_not(#[case] form: Form, #[case] a: Value, #[case] b: Value) {
    assert_ne!(form.text(Some(&a)), form.text(Some(&b)));
}
