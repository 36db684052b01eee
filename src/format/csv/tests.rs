use super::*;

fn table(text: &str, options: &Options) -> Result<Vec<Column>> {
    read(|| Ok(text.as_bytes()), "the text", options)
}

fn numbers(column: &Column) -> &[f64] {
    match &column.values {
        Values::Numbers(numbers) => numbers,
        Values::Words { .. } => panic!("{} has words", column.name),
    }
}

fn texts(column: &Column) -> Vec<Option<&str>> {
    match &column.values {
        Values::Words { codes, words } => {
            let word = |&code: &u32| words.get(code as usize).map(String::as_str);
            codes.iter().map(word).collect()
        }
        Values::Numbers(_) => panic!("{} has numbers", column.name),
    }
}

#[test]
fn numbers_and_words_are_told_apart_by_the_last_row_too() {
    let text = "\u{feff}a,b,\"c, d\"\r\n1, x ,007\r\n-2.5e3,\"say \"\"hi\"\"\",\r\n,y,8\r\n.5,x,n/a\r\n";
    let options = Options {
        missing: vec!["n/a".into()],
        ..Options::default()
    };
    let columns = table(text, &options).unwrap();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["a", "b", "c, d"]);
    let a = numbers(&columns[0]);
    assert!(a[0] == 1.0 && a[1] == -2500.0 && a[2].is_nan() && a[3] == 0.5);
    assert_eq!(
        texts(&columns[1]),
        [Some("x"), Some("say \"hi\""), Some("y"), Some("x")]
    );
    assert_eq!(numbers(&columns[2])[0], 7.0);
    // The text of a column of words is kept as it was written.
    let columns = table(&text.replace("n/a", "nine"), &options).unwrap();
    assert_eq!(texts(&columns[2]), [Some("007"), None, Some("8"), Some("nine")]);
}

#[test]
fn numbers_are_those_of_rust() {
    let mut generator = crate::nn::Generator::new(1);
    for i in 0..20_000 {
        let x = (generator.uniform() - 0.5) * 10f64.powi(i % 24 - 8);
        for text in [
            format!("{x}"),
            format!("{x:.4}"),
            format!("{x:e}"),
            format!("{:.0}", x * 1e6),
        ] {
            let found = number(text.as_bytes(), false).unwrap();
            assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }
    for text in [
        "", "-", ".", "-.", "1.2.3", "--1", "1e", "inf", "nan", "0x10", "1 2", "1e999", "e5",
    ] {
        assert_eq!(number(text.as_bytes(), false), None, "{text}");
    }
    assert_eq!(number(b"-0", false).unwrap().to_bits(), (-0.0f64).to_bits());
    assert_eq!(
        (number(b".5", false), number(b"+5.", false)),
        (Some(0.5), Some(5.0))
    );
}

#[test]
fn rows_that_threads_share_are_those_of_one_row_after_the_other() {
    let mut generator = crate::nn::Generator::new(2);
    let (mut plain, mut quoted) = ("a,b,c,late\n".to_string(), "a,b,c,late\n".to_string());
    for row in 0..150_000 {
        let cells = [
            format!("{:.3}", generator.uniform() * 1e4),
            format!("w{}", generator.below(300)),
            if generator.below(10) == 0 {
                String::new()
            } else {
                row.to_string()
            },
            if row == 140_000 {
                "x".into()
            } else {
                row.to_string()
            },
        ];
        plain += &format!("{}\r\n", cells.join(","));
        quoted += &format!("\"{}\"\r\n", cells.join("\",\""));
    }
    assert!(plain.len() > CHUNK);
    let options = Options::default();
    let expected = table(&quoted, &options).unwrap();
    let same = |columns: Vec<Column>| {
        for (column, other) in columns.iter().zip(&expected) {
            match (&column.values, &other.values) {
                (Values::Numbers(a), Values::Numbers(b)) => {
                    let bits = |x: &[f64]| x.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                    assert!(bits(a) == bits(b), "{}", column.name);
                }
                (a, b) => assert!(a == b, "{}", column.name),
            }
        }
    };
    same(table(&plain, &options).unwrap());
    // A row with quotes among the others.
    let (before, after) = plain.split_at(plain.len() / 2 + 1);
    let (row, rest) = after.split_once("\r\n").unwrap();
    let start = before.rfind('\n').unwrap() + 1;
    let cells = format!("{}{row}", &before[start..]).replace(',', "\",\"");
    same(table(&format!("{}\"{cells}\"\r\n{rest}", &before[..start]), &options).unwrap());
    // And one that is too short, far behind.
    let wrong = plain
        .replacen("\r\n149000", "\r\n", 1)
        .replacen(",140500\r", "\r", 1);
    let said = table(&wrong, &options).unwrap_err().to_string();
    let expected = "Expected 4 cells as in the header in line 140502 for the text but received 3 cells";
    assert_eq!(said, expected);
}

#[test]
fn the_separator_is_found_and_commas_may_be_decimal() {
    for (text, b) in [
        ("a;b\n1,5;2\n", 2.0),
        ("a\tb\n1.5\t-3\n", -3.0),
        ("a|b\n1,5|1e2\n", 100.0),
    ] {
        let columns = table(text, &Options::default()).unwrap();
        assert_eq!(
            (numbers(&columns[0]), numbers(&columns[1])),
            (&[1.5][..], &[b][..])
        );
    }
    let options = Options {
        separator: Some(b'/'),
        ..Options::default()
    };
    assert_eq!(table("a/b\n1/2", &options).unwrap().len(), 2);
}

#[test]
fn what_is_no_table_is_refused_with_its_line() {
    let numbers = Options {
        numbers: vec!["a".into()],
        ..Options::default()
    };
    let wide = format!("{}a\n", "a,".repeat(MOST_COLUMNS));
    for (text, said) in [
        (
            "",
            "Expected a header of column names for the text but received an empty text",
        ),
        (
            "a,\n1,2",
            "Expected a name for column 2 in line 1 for the text but received none",
        ),
        (
            "a,a\n1,2",
            "Expected each column name once in line 1 for the text but received 'a' twice",
        ),
        (
            "a,b\n1,2\n3\n4,5",
            "Expected 2 cells as in the header in line 3 for the text but received 1 cell",
        ),
        (
            "a,b\n1,\"2\n3,4\n5,6",
            "Expected a row that ends in line 2 for the text but received none: is there a quote that is never closed?",
        ),
        (
            "a\n1\nx\u{0}",
            "Expected text in line 3 for the text but received a NUL byte",
        ),
        (
            "a\n1\nx",
            "Expected a number in line 3, column 'a' for the text but received 'x'",
        ),
        (
            &wide,
            "Expected at most 16384 columns in line 1 for the text but received more",
        ),
    ] {
        assert_eq!(table(text, &numbers).unwrap_err().to_string(), said);
    }
    let bytes = b"a\nx\n\xff\n".as_slice();
    let said = read(|| Ok(bytes), "the text", &Options::default())
        .unwrap_err()
        .to_string();
    let expected =
        "Expected UTF-8 in line 3, column 'a' for the text but received other bytes: save it as UTF-8";
    assert_eq!(said, expected);
}
