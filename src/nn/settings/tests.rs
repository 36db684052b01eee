use super::*;
use serde_json::json;

settings! {
    /// A pear.
    pub struct Pear {
        /// How heavy.
        weight: f64, "weight", POSITIVE;
        /// How many.
        seeds: usize = 3, "seedCount", COUNT;
        /// Not always known.
        age: Option<usize> = None, "age", COUNT_FROM_ONE;
        /// Whether it is.
        ripe: bool = true, "ripe", BOOLEAN;
    }
}
settings! {
    /// Nothing to say about it.
    pub struct Plum: Default {}
}
choice! {
    /// A fruit.
    pub enum Fruit for "fruit" { "pear" => Pear, "plum" => Plum }
}

fn said(json: Value) -> (Code, String) {
    let error = Fruit::from_json(&json).unwrap_err();
    (error.code, error.to_string())
}

#[test]
fn every_mistake_is_answered_with_the_whole_rule() {
    let (kind, range, unknown) = (Code::InvalidType, Code::OutOfRange, Code::UnknownOption);
    let pear = |key: &str, value: Value| json!({"type": "pear", "weight": 1, key: value});
    let cases = [
        (
            json!("pera"),
            range,
            "one of 'pear', 'plum' for fruit but received 'pera': did you mean 'pear'?",
        ),
        (
            json!("fig"),
            range,
            "one of 'pear', 'plum' for fruit but received 'fig'",
        ),
        (json!(7), kind, "one of 'pear', 'plum' for fruit but received 7"),
        (
            json!(null),
            kind,
            "one of 'pear', 'plum' for fruit but received null",
        ),
        (
            json!([]),
            kind,
            "one of 'pear', 'plum' for fruit but received an array of 0 elements",
        ),
        (
            json!({}),
            kind,
            "one of 'pear', 'plum' for fruit.type but received undefined",
        ),
        (
            json!({"type": {}}),
            kind,
            "one of 'pear', 'plum' for fruit.type but received an object",
        ),
        (
            json!({"type": "Plum"}),
            range,
            "one of 'pear', 'plum' for fruit.type but received 'Plum': did you mean 'plum'?",
        ),
        (
            pear("seedcount", json!(1)),
            unknown,
            "only 'type', 'weight', 'seedCount', 'age', 'ripe' for fruit but received 'seedcount': \
             did you mean 'seedCount'?",
        ),
        (
            json!({"type": "plum", "seeds": 1}),
            unknown,
            "only 'type' for fruit but received 'seeds'",
        ),
        (
            json!("pear"),
            kind,
            "a number above 0 for fruit.weight but received undefined",
        ),
        (
            pear("weight", json!("1")),
            kind,
            "a number above 0 for fruit.weight but received '1'",
        ),
        (
            pear("weight", json!(null)),
            kind,
            "a number above 0 for fruit.weight but received null",
        ),
        (
            pear("weight", json!(0)),
            range,
            "a number above 0 for fruit.weight but received 0",
        ),
        (
            pear("seedCount", json!(1.5)),
            range,
            "an integer of at least 0 for fruit.seedCount but received 1.5",
        ),
        (
            pear("seedCount", json!(-1)),
            range,
            "an integer of at least 0 for fruit.seedCount but received -1",
        ),
        (
            pear("age", json!(0)),
            range,
            "an integer of at least 1 for fruit.age but received 0",
        ),
        (
            pear("age", json!(null)),
            kind,
            "an integer of at least 1 for fruit.age but received null",
        ),
        (
            pear("ripe", json!(1)),
            kind,
            "true or false for fruit.ripe but received 1",
        ),
    ];
    for (json, code, sentence) in cases {
        assert_eq!(said(json), (code, format!("Expected {sentence}")));
    }
}

#[test]
fn a_choice_survives_the_way_through_json() {
    let pear = Pear {
        weight: 0.1,
        seeds: 5,
        age: Some(2),
        ripe: false,
    };
    for fruit in [Fruit::Pear(pear), Fruit::Plum(Plum::default())] {
        assert!(Fruit::NAMES.contains(&fruit.name()));
        let text = serde_json::to_string(&fruit).unwrap();
        assert!(fruit.keys().iter().all(|key| text.contains(key)));
        assert_eq!(serde_json::from_str::<Fruit>(&text).unwrap(), fruit);
    }
    assert_eq!(Fruit::from_json(&json!("plum")).unwrap(), Fruit::Plum(Plum {}));
    let young = Fruit::Pear(Pear { age: None, ..pear });
    let json = serde_json::to_value(young).unwrap();
    assert_eq!(json.get("age"), None);
    assert_eq!(Fruit::from_json(&json).unwrap(), young);
}

#[test]
fn a_number_that_is_none_is_refused() {
    let pear = Pear {
        weight: f64::NAN,
        seeds: 5,
        age: None,
        ripe: false,
    };
    let error = Fruit::Pear(pear).check().unwrap_err();
    assert_eq!(
        error.to_string(),
        "Expected a finite number for fruit.weight but received NaN"
    );
}
