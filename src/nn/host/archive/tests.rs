use super::*;
use crate::nn::host::files::tests::Folder;
use crate::nn::random::Generator;
use serde_json::json;
use std::fs;

const DOUBLES: [f64; 9] = [
    0.0,
    -0.0,
    5e-324,
    -2.2e-308,
    f64::MAX,
    f64::MIN_POSITIVE,
    0.1,
    f64::INFINITY,
    f64::NAN,
];
const SINGLES: [f32; 6] = [-0.0, 1e-45, -1.1e-38, f32::MAX, 0.1, f32::NEG_INFINITY];

fn tensors() -> Vec<(String, TensorRef<'static>)> {
    vec![
        ("weights".into(), TensorRef::F32(&SINGLES[..5])),
        ("none".into(), TensorRef::F64(&[])),
        ("a \"name\" \n".into(), TensorRef::F64(&DOUBLES)),
        ("".into(), TensorRef::F32(&SINGLES)),
    ]
}

fn sample() -> Value {
    json!({ "epoch": 3, "loss": 0.1 + 0.2, "text": "\"quoted\" \u{0} \u{2028} é", "rest": [null, true, {}] })
}

fn bytes_of(json: &Value, tensors: &[(String, TensorRef)]) -> Vec<u8> {
    let mut bytes = Vec::new();
    emit(&mut bytes, &header(json, tensors).unwrap(), tensors).unwrap();
    bytes
}

fn parsed(bytes: &[u8]) -> io::Result<(Value, BTreeMap<String, Tensor>)> {
    parse(bytes, bytes.len() as u64, |_, _| Ok(()))
}

fn reason(bytes: &[u8]) -> String {
    let error = parsed(bytes).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    error.to_string()
}

/// A file with any header, and a checksum that is right.
fn forged(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    let checksum = crc32fast::hash(&bytes);
    bytes.extend(checksum.to_le_bytes());
    bytes
}

fn assert_same_bits(read: &BTreeMap<String, Tensor>, written: &[(String, TensorRef)]) {
    assert_eq!(read.len(), written.len());
    for (name, tensor) in written {
        match (&read[name], tensor) {
            (Tensor::F32(a), TensorRef::F32(b)) => {
                assert!(a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())));
            }
            (Tensor::F64(a), TensorRef::F64(b)) => {
                assert!(a.iter().map(|x| x.to_bits()).eq(b.iter().map(|x| x.to_bits())));
            }
            _ => panic!("{name} has another precision"),
        }
    }
}

#[test]
fn what_is_written_is_read_bit_by_bit() {
    let folder = Folder::new("archive");
    let path = folder.path("run.ckpt");
    let mut generator = Generator::new(1);
    let large: Vec<f64> = (0..CHUNK + 3).map(|_| generator.normal()).collect();
    let mut all = tensors();
    all.push(("large".into(), TensorRef::F64(&large)));
    for tensors in [&all[..], &all[..2], &[]] {
        write(&path, &sample(), tensors).unwrap();
        let (json, read) = read(&path, |_, _| Ok(())).unwrap();
        assert_eq!(json, sample());
        assert_same_bits(&read, tensors);
        assert_eq!(fs::read(&path).unwrap(), bytes_of(&sample(), tensors));
    }
    assert_eq!(folder.names(), ["run.ckpt"]);
}

#[test]
fn a_tensor_is_taken_in_its_own_precision_alone() {
    assert_eq!(f32::lend(&[1.0]), TensorRef::F32(&[1.0]));
    assert_eq!(f64::take(Tensor::F64(vec![1.0])), Some(vec![1.0]));
    assert_eq!(f64::take(Tensor::F32(vec![1.0])), None);
}

#[test]
fn other_readers_of_the_format_read_it() {
    let bytes = bytes_of(&sample(), &tensors());
    let file = safetensors::SafeTensors::deserialize(&bytes).unwrap();
    let weights = file.tensor("weights").unwrap();
    assert_eq!((weights.dtype(), weights.shape()), (Dtype::F32, &[5][..]));
    let expected: Vec<u8> = SINGLES[..5].iter().flat_map(|x| x.to_le_bytes()).collect();
    assert_eq!(weights.data(), expected);
    // The checksum is the ordinary CRC-32, of all but its own bytes.
    let (rest, checksum) = bytes.split_last_chunk().unwrap();
    assert_eq!(crc32fast::hash(rest), u32::from_le_bytes(*checksum));
    assert_eq!(crc32fast::hash(b"123456789"), 0xcbf4_3926);
}

#[test]
fn every_changed_byte_is_noticed() {
    let bytes = bytes_of(&sample(), &tensors());
    parsed(&bytes).unwrap();
    for place in 0..bytes.len() {
        for change in [1, 0x20, 0x80, 0xff] {
            let mut changed = bytes.clone();
            changed[place] ^= change;
            reason(&changed);
        }
    }
}

#[test]
fn every_missing_or_added_byte_is_noticed() {
    let bytes = bytes_of(&sample(), &tensors());
    for length in 0..bytes.len() {
        reason(&bytes[..length]);
        // The file shrinks while it is read.
        let error = parse(&bytes[..length], bytes.len() as u64, |_, _| Ok(())).unwrap_err();
        assert!(matches!(
            error.kind(),
            ErrorKind::InvalidData | ErrorKind::UnexpectedEof
        ));
    }
    reason(&[&bytes[..], &[0]].concat());
}

#[test]
fn garbage_is_refused() {
    let mut generator = Generator::new(2);
    for length in 0..2000u64 {
        let mut bytes: Vec<u8> = (0..length).map(|_| generator.below(256) as u8).collect();
        reason(&bytes);
        // With the length of a header that fits.
        if length > 8 {
            bytes[..8].copy_from_slice(&(length / 2).min(length - 8).to_le_bytes());
            reason(&bytes);
        }
    }
}

#[test]
fn a_forged_header_is_refused_with_the_reason() {
    let json = format!(r#""__metadata__":{{"mikir":"{{}}\n{}"}}"#, crc32fast::hash(b"{}"));
    let sum = |at: usize| {
        format!(
            r#""crc32":{{"dtype":"U32","shape":[1],"data_offsets":[{at},{}]}}"#,
            at + 4
        )
    };
    let tensor = |dtype: &str, shape: &str, end: u64| {
        let sum = sum(8);
        format!(r#"{{{json},"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}},{sum}}}"#)
    };
    assert!(parsed(&forged(&tensor("F64", "[1]", 8), &[0; 8])).is_ok());
    let no_header = "a header that is not one of safetensors";
    let cases = [
        (
            tensor("I64", "[1]", 8),
            "tensor 'a' of another type than F32 and F64",
        ),
        (tensor("F64", "[2]", 8), no_header),
        (tensor("F64", "[-1]", 8), no_header),
        (tensor("F64", "[4294967296,4294967296,4294967296]", 8), no_header),
        (tensor("F64", "[1]", u64::MAX), no_header),
        (tensor("F65", "[1]", 8), no_header),
        ("[".repeat(10_000), no_header),
        ("{}".into(), "22 bytes where its header names 10"),
    ];
    for (header, expected) in cases {
        let reason = reason(&forged(&header, &[0; 8]));
        assert_eq!(reason, expected, "{header:.100}");
    }
    let nothing = r#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let long = r#"{"crc32":{"dtype":"U32","shape":[2],"data_offsets":[0,8]}}"#;
    assert_eq!(reason(&forged(nothing, &[])), "no checksum");
    assert_eq!(reason(&forged(long, &[0; 4])), "no checksum");
    for json in ["", r#""__metadata__":{},"#, r#""__metadata__":{"mikir":"{"},"#] {
        let header = format!("{{{json}{}}}", sum(0));
        assert_eq!(reason(&forged(&header, &[])), "no JSON of mikir");
    }
    let header = format!(r#"{{"__metadata__":{{"mikir":"{{}}\n7"}},{}}}"#, sum(0));
    let expected = "JSON that does not match its checksum";
    assert_eq!(reason(&forged(&header, &[])), expected);
    let huge = u64::MAX.to_le_bytes();
    assert_eq!(reason(&huge), "a header of 18446744073709551615 bytes in 8");
    let error = parse(&huge[..], MAX_BYTES + 1, |_, _| Ok(())).unwrap_err();
    assert_eq!(error.to_string(), "68719476737 bytes, more than 68719476736");
}

#[test]
fn a_file_that_cannot_be_is_answered_with_the_path_and_the_reason() {
    let folder = Folder::new("refused");
    let said = |error: Error| format!("{error} [{}]", error.code.as_str());
    let path = folder.path("run.ckpt");
    let shown = path.display();

    let missing = said(read(&path, |_, _| Ok(())).unwrap_err());
    assert!(
        missing.starts_with(&format!(
            "Expected a file that can be read for '{shown}' but received "
        )),
        "{missing}"
    );
    assert!(missing.ends_with(" [ERR_MIKIR_FILE]"), "{missing}");

    for (content, reason) in [("", "an empty file"), ("short", "5 bytes, too few")] {
        fs::write(&path, content).unwrap();
        assert_eq!(
            said(read(&path, |_, _| Ok(())).unwrap_err()),
            format!(
                "Expected a complete mikir checkpoint for '{shown}' but received {reason} [ERR_MIKIR_CORRUPT_FILE]"
            )
        );
    }

    let inside = folder.path("inside");
    fs::create_dir(&inside).unwrap();
    assert_eq!(
        said(read(&inside, |_, _| Ok(())).unwrap_err()),
        format!(
            "Expected a file that can be read for '{}' but received a folder [ERR_MIKIR_FILE]",
            inside.display()
        )
    );
    assert_eq!(
        said(write(&inside, &sample(), &[]).unwrap_err()),
        format!(
            "Expected a file that can be written for '{}' but received a folder [ERR_MIKIR_FILE]",
            inside.display()
        )
    );

    let nowhere = folder.path("nowhere").join("run.ckpt");
    assert_eq!(write(&nowhere, &sample(), &[]).unwrap_err().code, Code::File);
    assert_eq!(folder.names(), ["inside", "run.ckpt"]);
}

#[test]
fn a_name_that_is_taken_is_refused() {
    for names in [["a", "a"], ["a", "crc32"], ["__metadata__", "a"]] {
        let tensors = names.map(|name| (name.to_string(), TensorRef::F32(&[])));
        let error = header(&json!({}), &tensors).unwrap_err();
        assert_eq!(error.code, Code::Internal);
    }
}
