use proptest::prelude::*;

use super::*;

fn part(name: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let size = u32::try_from(body.len() + 8).unwrap();
    [size.to_be_bytes().as_slice(), name, body].concat()
}

fn header(scale: u32, units: u32) -> Vec<u8> {
    let mut body = vec![0; 12];
    body.extend(scale.to_be_bytes());
    body.extend(units.to_be_bytes());
    body
}

fn film(brand: &[u8; 4], film: &[u8], track: &[u8]) -> Vec<u8> {
    let media = part(b"mdia", &part(b"mdhd", track));
    let inside = [part(b"mvhd", film), part(b"trak", &media)].concat();
    [
        part(b"ftyp", &[brand.as_slice(), &[0; 4]].concat()),
        part(b"mdat", b"frames"),
        part(b"moov", &inside),
    ]
    .concat()
}

#[test]
fn what_a_file_is_stands_in_its_first_bytes() {
    let webp = b"RIFF\x10\0\0\0WEBPVP8 ";
    for (bytes, kind) in [
        (b"\xFF\xD8\xFF\xE0JFIF".as_slice(), Some(MediaKind::Jpeg)),
        (b"\x89PNG\r\n\x1a\n....", Some(MediaKind::Png)),
        (webp, Some(MediaKind::Webp)),
        (b"\0\0\0\x14ftypisom", Some(MediaKind::Mp4)),
        (b"\0\0\0\x14ftypqt  ", Some(MediaKind::Mov)),
        // A still of the same container, and what a browser would run.
        (b"\0\0\0\x14ftypheic", None),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", None),
        (b"<!doctype html><script>", None),
        (b"GIF89a", None),
        (b"%PDF-1.7", None),
        (b"", None),
    ] {
        assert_eq!(kind_of(bytes), kind, "{bytes:?}");
    }
}

#[test]
fn a_picture_may_be_large_and_not_larger() {
    let mut picture = b"\xFF\xD8\xFF\xE0".to_vec();
    picture.resize(MAX_IMAGE, 0);
    assert_eq!(check(&picture), Ok(MediaKind::Jpeg));
    picture.push(0);
    assert_eq!(check(&picture), Err(MediaError::TooLarge));
}

#[test]
fn a_video_says_how_long_it_is_in_its_container() {
    let thirty = header(600, 18_000);
    assert_eq!(check(&film(b"isom", &thirty, &thirty)), Ok(MediaKind::Mp4));
    assert_eq!(check(&film(b"qt  ", &thirty, &header(1, 30))), Ok(MediaKind::Mov));
    let longer = header(600, 18_001);
    assert_eq!(check(&film(b"isom", &longer, &thirty)), Err(MediaError::TooLong));
    // The film says less than its track.
    assert_eq!(check(&film(b"isom", &thirty, &longer)), Err(MediaError::TooLong));
    assert_eq!(
        check(&film(b"isom", &header(600, 0), &header(600, 0))),
        Err(MediaError::Unreadable)
    );
    let long_form = [
        vec![1; 1],
        vec![0; 19],
        1_000_u32.to_be_bytes().to_vec(),
        31_000_u64.to_be_bytes().to_vec(),
    ]
    .concat();
    assert_eq!(
        check(&film(b"mp42", &long_form, &thirty)),
        Err(MediaError::TooLong)
    );
}

#[test]
fn a_film_in_pieces_says_how_long_they_are_together() {
    let pieces = [vec![0; 4], 31_000_u32.to_be_bytes().to_vec()].concat();
    let inside = [
        part(b"mvhd", &header(1_000, 0)),
        part(b"mvex", &part(b"mehd", &pieces)),
    ]
    .concat();
    let film = [part(b"ftyp", b"iso5\0\0\0\0"), part(b"moov", &inside)].concat();
    assert_eq!(check(&film), Err(MediaError::TooLong));
}

#[test]
fn a_video_that_is_cut_off_cannot_be_read() {
    let thirty = header(600, 18_000);
    let whole = film(b"isom", &thirty, &thirty);
    for cut in 12..whole.len() {
        assert!(check(&whole[..cut]).is_err(), "{cut}");
    }
}

#[test]
fn a_name_of_a_file_is_read_back_and_nothing_else_is() {
    let media = ReviewMedia {
        sha256: "0a".repeat(32),
        kind: MediaKind::Webp,
        bytes: 7,
    };
    assert_eq!(ReviewMedia::of_file(&media.file_name(), 7), Some(media));
    for name in ["../../etc/passwd", "0a.webp", "x.svg", ""] {
        assert_eq!(ReviewMedia::of_file(name, 7), None, "{name}");
    }
}

proptest! {
    #[test]
    fn no_bytes_are_too_odd_to_look_at(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = check(&bytes);
        let video = [b"\0\0\0\x0cftypisom".as_slice(), &part(b"moov", &bytes)].concat();
        let _ = check(&video);
    }
}
