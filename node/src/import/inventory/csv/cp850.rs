//! Texts in code page 850, as programs from the time of DOS still write them.
//!
//! The table is IBM's code page 850 as the Unicode Consortium maps it
//! (`VENDORS/MICSFT/PC/CP850.TXT`).

/// What the bytes from 0x80 on stand for.
const UPPER: &str = "\
ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜø£Ø×ƒ\
áíóúñÑªº¿®¬½¼¡«»░▒▓│┤ÁÂÀ©╣║╗╝¢¥┐\
└┴┬├─┼ãÃ╚╔╩╦╠═╬¤ðÐÊËÈıÍÎÏ┘┌█▄¦Ì▀\
ÓßÔÒõÕµþÞÚÛÙýÝ¯´\u{ad}±‗¾¶§÷¸°¨·¹³²■\u{a0}";
/// ä, ö, ü, Ä, Ö, Ü, ß here, and in Windows-1252.
const UMLAUTS: [u8; 7] = [0x84, 0x94, 0x81, 0x8e, 0x99, 0x9a, 0xe1];
const WINDOWS_UMLAUTS: [u8; 7] = [0xe4, 0xf6, 0xfc, 0xc4, 0xd6, 0xdc, 0xdf];

/// Whether bytes that are no UTF-8 are rather this than Windows-1252: umlauts of
/// this code page beside letters, and hardly any of the other.
pub(super) fn is_likely(bytes: &[u8]) -> bool {
    let beside_letters = |umlauts: &[u8; 7]| {
        let inside = bytes.windows(2).filter(|pair| {
            umlauts.contains(&pair[0]) && pair[1].is_ascii_lowercase()
                || umlauts.contains(&pair[1]) && pair[0].is_ascii_alphabetic()
        });
        inside.count()
    };
    beside_letters(&UMLAUTS) > 4 * beside_letters(&WINDOWS_UMLAUTS)
}

/// The text.
pub(super) fn decoded(bytes: &[u8]) -> String {
    let upper: Vec<char> = UPPER.chars().collect();
    let letter = |byte: &u8| match usize::from(*byte).checked_sub(0x80) {
        Some(at) => upper.get(at).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        None => char::from(*byte),
    };
    bytes.iter().map(letter).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_has_all_bytes_and_windows_is_not_taken_for_it() {
        assert_eq!(UPPER.chars().count(), 128);
        assert_eq!(decoded(b"Stra\xe1e \xf5"), "Straße §");
        assert!(is_likely(b"Gr\x81nfl\x84chen") && !is_likely(b"Gr\xfcnfl\xe4chen \x84a\x93"));
    }
}
