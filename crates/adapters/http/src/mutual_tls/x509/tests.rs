//! Certificates as authorities make them, and what is none.

use proptest::prelude::*;
use servers::certificates::{AlternativeName, Held, Wanted, self_signed};

use super::*;

fn made(wanted: &Wanted) -> Held {
    self_signed(wanted).unwrap()
}

fn names(wanted: &Wanted) -> Vec<(&'static str, String)> {
    let certificate = read(&CertificateDer::from(made(wanted).der)).unwrap();
    let names = certificate.names.into_iter();
    names.map(|name| (name.kind.name(), name.text.as_str().to_owned())).collect()
}

#[test]
fn every_name_is_read_in_its_one_spelling() {
    let wanted = Wanted {
        organization: Some("Example, Inc.".into()),
        names: vec![
            AlternativeName::Dns("Agent.Example.com".into()),
            AlternativeName::Uri("spiffe://example/Agent".into()),
            AlternativeName::Address("192.0.2.7".parse().unwrap()),
            AlternativeName::Address("2001:db8::1".parse().unwrap()),
            AlternativeName::Email("agent@EXAMPLE.com".into()),
        ],
        ..Wanted::of("Größter=1")
    };
    let expected = [
        ("subject_dn", "CN=Größter\\=1,O=Example\\, Inc."),
        ("san_dns", "agent.example.com"),
        ("san_uri", "spiffe://example/Agent"),
        ("san_ip", "192.0.2.7"),
        ("san_ip", "2001:db8::1"),
        ("san_email", "agent@example.com"),
    ];
    assert_eq!(names(&wanted), expected.map(|(kind, text)| (kind, text.to_owned())));
}

#[test]
fn what_names_no_client_is_not_among_the_names() {
    let wanted = Wanted {
        names: vec![
            AlternativeName::Dns("*.example.com".into()),
            AlternativeName::Uri("relative".into()),
        ],
        ..Wanted::of("a\u{202e}b")
    };
    assert_eq!(names(&wanted), []);
}

#[test]
fn the_validity_is_read() {
    let held = made(&Wanted { years: (2025, 2050), ..Wanted::of("a") });
    let read = read(&CertificateDer::from(held.der)).unwrap();
    assert_eq!(read.not_before.unix_seconds(), 1_735_689_600);
    assert_eq!(read.not_after.unix_seconds(), 2_524_608_000);
}

#[test]
fn a_certificate_is_registered_in_pem_or_as_base64_and_alone() {
    let (one, other) = (made(&Wanted::of("a")), made(&Wanted::of("b")));
    let thumbprint = CertificateThumbprint::of(&one.der);
    let base64 = BASE64.encode(&one.der);
    let folded = base64.replace('M', "M\n");
    for good in [&one.certificate, &base64, &folded, &format!("Subject: a\n{}", one.certificate)] {
        assert_eq!(read_text(good).unwrap().thumbprint, thumbprint, "{good}");
    }
    let request = one.certificate.replace("CERTIFICATE", "CERTIFICATE REQUEST");
    let cut = one.certificate.get(..300).unwrap();
    for (bad, why) in [
        ("", UnreadableCertificate::Content),
        ("???", UnreadableCertificate::Form),
        (cut, UnreadableCertificate::Form),
        (&request, UnreadableCertificate::Form),
        (&BASE64.encode(b"certificate"), UnreadableCertificate::Content),
        (&[&*one.certificate, &other.certificate].concat(), UnreadableCertificate::Form),
        (&[&*one.certificate, &one.key].concat(), UnreadableCertificate::PrivateKey),
        (&one.key, UnreadableCertificate::PrivateKey),
    ] {
        assert_eq!(read_text(bad).unwrap_err(), why, "{bad}");
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(at in 0..400_usize, byte: u8, cut in 0..500_usize) {
        let mut der = made(&Wanted::of("a").with_uri("urn:a")).der;
        if let Some(one) = der.get_mut(at) {
            *one = byte;
        }
        der.truncate(cut.max(1));
        let _ = read(&CertificateDer::from(der));
    }
}
