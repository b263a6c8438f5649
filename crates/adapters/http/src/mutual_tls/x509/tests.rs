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

/// A certificate with an RSA key of 1,024 bits.
const RSA_1024: &str = "\
    MIIB/DCCAWWgAwIBAgIUHGl+eiqe/eQKrC8EHqEgKkb1EfcwDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEd2Vh\
    azAgFw0yNjExMjExODU5MzJaGA8yMTI2MTAyODE4NTkzMlowDzENMAsGA1UEAwwEd2VhazCBnzANBgkqhkiG9w0B\
    AQEFAAOBjQAwgYkCgYEAwlaoVA0rSE7Ly0z23O4G2ctb+w4eNdaHMvDXekQJMCAgdqLEWLU80YI/cvxsCld93yr6\
    i5NwhiBcTIgMj5JYz73pqXjJTRrD0tfPtIVQQ/1+h4ZYmkBxocwyCrCMHNUso9XHs72lDhQcd9GtCDPnY8EV8cWT\
    7PD1eUW/y7xNXOUCAwEAAaNTMFEwHQYDVR0OBBYEFI0WbHtb2DocIiD634z9XDOTxc0UMB8GA1UdIwQYMBaAFI0W\
    bHtb2DocIiD634z9XDOTxc0UMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEABL/T+dqU2xMUt+7g\
    d4Epw36LsXobfDqUA4K0W3tM+q8tuTDc4mKAk/BgcB3KKEzZ40IR4BHOxH0saCAd06Zj1LHsMsNMJUGRfXP4ggs8\
    K/NTZ1Ym2/52rFtw1+Tm8H6Pna/jH5fyjtwc1vKcyfsz2QfOaYvorDlLYQtqHWoXLb4=";

/// A certificate with an RSA key of 2,048 bits.
const RSA_2048: &str = "\
    MIIDAzCCAeugAwIBAgIUZQthyGcqTf0AHg529bbp8EIogzkwDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFYWdl\
    bnQwIBcNMjYxMTIxMTg1OTMyWhgPMjEyNjEwMjgxODU5MzJaMBAxDjAMBgNVBAMMBWFnZW50MIIBIjANBgkqhkiG\
    9w0BAQEFAAOCAQ8AMIIBCgKCAQEAxfZvhhZedAWQwPHWRGpCkOjJ7hr3HOTenDSQDGDD8ENk15b6utq1YBNVT8oa\
    ELSUtVhhFOTriJiRoJPS+JySXYqoRSrLS72sjD2AShFQQl7VuY6k13Y5W+bKHaLJom8QaqTLuVGNcAeeDN95LC6B\
    92X1Inf4WwhfqOQBqEgVtjnenH/4pEtrTrQ0/q4ZZNqlTtrywQcE8MqPL3x+j7QTrA96cQDQydUWR/KVd2d7/Mj2\
    KaNRaBqg0uhBZWHHhHfKn2iVwq9Z2L/RGVmFgsoHTqKJQk/lhUU+WM4BDvOd3NyvgoSRNxPDT36BTRLtWR5vSgW8\
    gmf/cOfTa1MaZ11sYQIDAQABo1MwUTAdBgNVHQ4EFgQUXHMIQNXXcjoa6tYtYDQDGPYqdZQwHwYDVR0jBBgwFoAU\
    XHMIQNXXcjoa6tYtYDQDGPYqdZQwDwYDVR0TAQH/BAUwAwEB/zANBgkqhkiG9w0BAQsFAAOCAQEAX7C1515OhQCL\
    qePf1zD64+4ArmydlGtFv2uhW67LXeoXY8OBzW9lyt91DGKU7LFLDo8nMPd+HkSrafOjZSavVmi1yoQmvivJLmSs\
    5ixqlXpkdQDd2xTHfoLqyFacMyop0EsN9Ky3GHF/TnRfv3fM5DIUH2PGVaa0/YPwMc/oq1MdJVIUwegzl+1hrjYO\
    LyuQBlHBvVNLGzabSX/8YaZ55Z67D/+4weUcz3W1SPXL2qD1g55FCSiTW6/yA9AIKTjxtk6hXuj0k62IpEP2JTvQ\
    Q8H79FRTof8Jm+AdlhElLySKkeEgBgcq+ZHwDPKCYa1qlV3mFrTrOGtYAhwuMJuVoQ==";

/// A certificate with a key on P-384.
const P_384: &str = "\
    MIIBtTCCATqgAwIBAgIUbHWukbI9c9/UvwbHbLBSAyY+EdgwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFYWdlbnQw\
    IBcNMjYxMTIxMTg1OTMyWhgPMjEyNjEwMjgxODU5MzJaMBAxDjAMBgNVBAMMBWFnZW50MHYwEAYHKoZIzj0CAQYF\
    K4EEACIDYgAE83JUUUz/xe/Pn9jMJiAjnY6J28Ki5RIw0C9jTZACGZqj3IPMTsuYiffkreKvilRa7hmNSHu9KFzc\
    CkhLm+d7ATYhSjF/m3GMXYIk/rj2kkL3Y63Eu0H+Yr/+Uh+uAZtgo1MwUTAdBgNVHQ4EFgQUyUakQS5vHHjPwtmI\
    oGBsFAWjBGMwHwYDVR0jBBgwFoAUyUakQS5vHHjPwtmIoGBsFAWjBGMwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjO\
    PQQDAgNpADBmAjEA5ZSB5tWKVERxJlZHEl45hyB0YcfQrI1IG50GUJ5kMJro6XQBG5iXE2YJAMSOsb2IAjEAznpj\
    4NSi75PphAqEkrh198EvhtOcRmr47Z5+uU5/qAkIW375AjbAxWgxB8LLtuKw";

/// A certificate with a key on secp256k1.
const SECP_256_K1: &str = "\
    MIIBczCCARqgAwIBAgIUP7wI014OV/srA/FVrTdqqZhZ3FMwCgYIKoZIzj0EAwIwEDEOMAwGA1UEAwwFYWdlbnQw\
    IBcNMjYxMTIxMTg1OTMyWhgPMjEyNjEwMjgxODU5MzJaMBAxDjAMBgNVBAMMBWFnZW50MFYwEAYHKoZIzj0CAQYF\
    K4EEAAoDQgAEQ/+6ZYrtzkEhu0GiplO3WT+qpqKbMnAOGJJx0GTqf4Fql1XTS4+n6T1dj+gSu4/23jNkk1Gq0RNg\
    NCN1hGSVtaNTMFEwHQYDVR0OBBYEFEuEJqissIRMX60ks1RFCrS15Q7pMB8GA1UdIwQYMBaAFEuEJqissIRMX60k\
    s1RFCrS15Q7pMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgcRV4hVRibRy+T+I16fL7mJ0IQbKb\
    oZ42bTMlS6hVzxoCIF+uFhP2lMRWF5ZQ4oqsVlgaZ4UQ475S0G4PtE2p8n7Z";

#[test]
fn jv_11_a_certificate_with_a_weak_key_is_not_taken() {
    for strong in [RSA_2048, P_384] {
        assert!(read_text(strong).is_ok());
    }
    for weak in [RSA_1024, SECP_256_K1] {
        assert_eq!(read_text(weak).err(), Some(UnreadableCertificate::Key));
    }
}
