//! `racetrap lanes`: a scenario on two engines.

use serde_json::{Value, json};

use crate::place::{Place, output_without_canaries};

#[test]
fn each_scenario_runs_on_each_engine() {
    let place = Place::new();
    let lanes = |format: &str| {
        let arguments = ["lanes", "own-D1", "--with", "dockerd:28.5", "--format", format];
        let output = output_without_canaries(place.racetrap(&arguments).spawn().unwrap());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        String::from_utf8(output.stdout).unwrap()
    };
    let object: Value = serde_json::from_str(&lanes("json")).unwrap();
    let all = object["lanes"].as_array().unwrap();
    let seen: Vec<_> =
        all.iter().map(|lane| (&lane["engine"], &lane["runs"][0]["verdict"])).collect();
    let pass = json!("pass");
    assert_eq!(seen, [(&json!("dockerd"), &pass), (&json!("dockerd:28.5"), &pass)]);
    let ran = all[1]["runs"][0]["engine"].as_str().unwrap();
    assert!(ran.contains("28.5"), "{ran}");
    let text = lanes("human");
    assert!(text.contains(": 1 of 1 passed"), "{text}");
    assert_eq!(place.leftovers(), Vec::<String>::new());
}
