//! Finds what names a person in a text that could become public: forms of
//! address, first names, personal mailboxes, telephone extensions.
//!
//! It errs on the side of the person: what it finds is taken out of the public
//! field and kept, word for word, among the town's own notes.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::LazyLock;

/// First names that are common among those who fill in inventories. Words that
/// are more often something else (`Mark`, `Rose`, `Ernst`, `August`) are none.
const FIRST_NAMES: &[&str] = &[
    "Achim",
    "Alexander",
    "Alexandra",
    "Alfred",
    "Andrea",
    "Andreas",
    "Angela",
    "Angelika",
    "Anja",
    "Anke",
    "Anna",
    "Anne",
    "Annette",
    "Antje",
    "Anton",
    "Armin",
    "Astrid",
    "Barbara",
    "Beate",
    "Benjamin",
    "Bernd",
    "Bernhard",
    "Bettina",
    "Birgit",
    "Björn",
    "Britta",
    "Carina",
    "Carmen",
    "Carsten",
    "Christa",
    "Christian",
    "Christiane",
    "Christina",
    "Christine",
    "Christoph",
    "Claudia",
    "Clemens",
    "Cornelia",
    "Dagmar",
    "Daniel",
    "Daniela",
    "David",
    "Dennis",
    "Detlef",
    "Dieter",
    "Dietmar",
    "Dirk",
    "Dominik",
    "Doris",
    "Dorothea",
    "Elena",
    "Elisabeth",
    "Elke",
    "Erich",
    "Erika",
    "Eva",
    "Fabian",
    "Felix",
    "Florian",
    "Frank",
    "Franz",
    "Franziska",
    "Frederik",
    "Friedrich",
    "Gabriele",
    "Georg",
    "Gerd",
    "Gerhard",
    "Gisela",
    "Gregor",
    "Gudrun",
    "Günter",
    "Günther",
    "Hannah",
    "Hans",
    "Harald",
    "Heike",
    "Heiko",
    "Heinrich",
    "Heinz",
    "Helga",
    "Helmut",
    "Henning",
    "Herbert",
    "Hermann",
    "Holger",
    "Horst",
    "Hubert",
    "Ingo",
    "Ingrid",
    "Irene",
    "Iris",
    "Jana",
    "Janine",
    "Jan",
    "Jennifer",
    "Jens",
    "Jessica",
    "Joachim",
    "Jochen",
    "Johanna",
    "Johannes",
    "Jonas",
    "Josef",
    "Judith",
    "Julia",
    "Julian",
    "Jürgen",
    "Jutta",
    "Kai",
    "Karin",
    "Karl",
    "Karsten",
    "Katharina",
    "Kathrin",
    "Katja",
    "Katrin",
    "Kerstin",
    "Kirsten",
    "Klaus",
    "Kristina",
    "Lars",
    "Laura",
    "Lena",
    "Lisa",
    "Lothar",
    "Lukas",
    "Manfred",
    "Manuela",
    "Marcel",
    "Marco",
    "Marcus",
    "Maren",
    "Margit",
    "Maria",
    "Marie",
    "Marion",
    "Markus",
    "Martin",
    "Martina",
    "Matthias",
    "Melanie",
    "Michael",
    "Michaela",
    "Miriam",
    "Monika",
    "Nadine",
    "Natalie",
    "Nicole",
    "Nils",
    "Nina",
    "Norbert",
    "Olaf",
    "Oliver",
    "Otto",
    "Patrick",
    "Peter",
    "Petra",
    "Philipp",
    "Rainer",
    "Ralf",
    "Regina",
    "Reinhard",
    "Renate",
    "Robert",
    "Roland",
    "Rolf",
    "Rüdiger",
    "Rudolf",
    "Sabine",
    "Sabrina",
    "Sandra",
    "Sarah",
    "Sascha",
    "Sebastian",
    "Silke",
    "Silvia",
    "Simone",
    "Sonja",
    "Stefan",
    "Stefanie",
    "Steffen",
    "Stephan",
    "Susanne",
    "Svenja",
    "Sven",
    "Tanja",
    "Thomas",
    "Thorsten",
    "Tim",
    "Tobias",
    "Torsten",
    "Udo",
    "Ulrich",
    "Ulrike",
    "Ursula",
    "Ute",
    "Uwe",
    "Vera",
    "Verena",
    "Volker",
    "Walter",
    "Werner",
    "Wilhelm",
    "Wolfgang",
    "Yvonne",
];

/// The same of people whose families came from elsewhere: Turkish, Polish,
/// Arabic, Russian and Ukrainian names.
#[rustfmt::skip]
const MORE_FIRST_NAMES: &[&str] = &[
    "Ahmet", "Ali", "Aylin", "Ayşe", "Ayse", "Burak", "Cem", "Deniz", "Elif", "Emine", "Emre", "Esra", "Fatih",
    "Fatma", "Gülay", "Hakan", "Hasan", "Hatice", "Hüseyin", "Ibrahim", "İbrahim", "Kemal", "Leyla", "Mehmet",
    "Meryem", "Murat", "Mustafa", "Osman", "Özlem", "Selin", "Serkan", "Yasemin", "Yusuf", "Zeynep",
    "Agnieszka", "Andrzej", "Aleksandra", "Beata", "Bogdan", "Dorota", "Ewa", "Grzegorz", "Jacek", "Janusz",
    "Joanna", "Jolanta", "Katarzyna", "Krzysztof", "Łukasz", "Lukasz", "Magdalena", "Małgorzata", "Malgorzata",
    "Marek", "Marta", "Paweł", "Pawel", "Piotr", "Tomasz", "Wojciech", "Zbigniew",
    "Abdul", "Abdullah", "Ahmad", "Amira", "Aisha", "Fatima", "Hamza", "Hassan", "Hussein", "Jamal", "Karim",
    "Khaled", "Layla", "Mahmoud", "Mohamed", "Mohammad", "Mohammed", "Muhammad", "Nadia", "Omar", "Rania", "Samir",
    "Salma", "Tarek", "Yasmin", "Youssef", "Zahra",
    "Alexej", "Alina", "Anastasia", "Andrej", "Boris", "Dmitri", "Dimitri", "Ekaterina", "Galina", "Igor", "Irina",
    "Ivan", "Julija", "Ludmila", "Marina", "Nadeschda", "Natalia", "Natalja", "Nikolai", "Oksana", "Oleg", "Olga",
    "Sergej", "Svetlana", "Swetlana", "Tatjana", "Tatiana", "Viktor", "Vladimir", "Wladimir", "Yulia",
];

static FIRST_NAMES_LOWER: LazyLock<HashSet<String>> =
    LazyLock::new(|| FIRST_NAMES.iter().chain(MORE_FIRST_NAMES).map(|name| name.to_lowercase()).collect());

/// Words that go on after a first name without making it a person's: streets,
/// schools, churches, foundations.
const THINGS: [&str; 14] = [
    "straße",
    "strasse",
    "str.",
    "weg",
    "platz",
    "schule",
    "gymnasium",
    "kirche",
    "stiftung",
    "haus",
    "kolleg",
    "allee",
    "park",
    "brücke",
];

/// Where a text names persons, from left to right, not overlapping.
pub(super) fn persons(text: &str) -> Vec<Range<usize>> {
    let words = words(text);
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    while at < words.len() {
        match person_at(text, &words, at) {
            Some(count) => {
                found.push(words[at].start..words[at + count - 1].end);
                at += count;
            }
            None => at += 1,
        }
    }
    found
}

/// Whether a whole value is nothing but a person's name or mailbox.
pub(super) fn is_person(text: &str) -> bool {
    let text = text.trim();
    let covered: usize = persons(text).iter().map(ExactSizeIterator::len).sum();
    covered > 0 && covered * 10 >= text.len() * 6 || is_surname_comma_first(text)
}

/// A text without the persons it names, and whether there were any.
pub(super) fn without_persons(text: &str) -> Option<String> {
    let found = persons(text);
    if found.is_empty() {
        return None;
    }
    let mut rest = String::with_capacity(text.len());
    let mut end = 0;
    for person in found {
        rest.push_str(&text[end..person.start]);
        rest.push('…');
        end = person.end;
    }
    rest.push_str(&text[end..]);
    Some(rest)
}

/// How many words from here on are one person.
fn person_at(text: &str, words: &[Range<usize>], at: usize) -> Option<usize> {
    let word = |n: usize| words.get(at + n).map(|range| bare(&text[range.clone()]));
    let first = word(0)?;
    if is_personal_mailbox(first) {
        return Some(1);
    }
    if !["Herr", "Herrn", "Frau", "Hr.", "Fr."].contains(&first) {
        return (is_first_name(first) && next_is_name(text, words, at)).then_some(2);
    }
    let mut count = 1;
    while word(count).is_some_and(|title| ["Dr.", "Prof.", "Dr", "Prof"].contains(&title)) {
        count += 1;
    }
    let name = word(count).filter(|name| is_capitalised(name))?;
    let surname_follows = is_first_name(name) && next_is_name(text, words, at + count);
    Some(count + 1 + usize::from(surname_follows))
}

/// Whether the word after `at` goes on as a surname does.
fn next_is_name(text: &str, words: &[Range<usize>], at: usize) -> bool {
    let (Some(this), Some(next)) = (words.get(at), words.get(at + 1)) else { return false };
    // A sentence or a list ends between them.
    let between_is_space = text[this.end..next.start].chars().all(|c| c == ' ') && this.end < next.start;
    let ends = text[this.clone()].ends_with([',', ';', ':', '.', ')']);
    let surname = bare(&text[next.clone()]);
    let lower = surname.to_lowercase();
    between_is_space
        && !ends
        && is_capitalised(surname)
        && surname.chars().count() > 2
        && !THINGS.iter().any(|thing| lower.ends_with(thing))
}

/// `Müller, Hans`
fn is_surname_comma_first(text: &str) -> bool {
    text.split_once(',').is_some_and(|(surname, first)| {
        is_capitalised(surname.trim()) && !surname.trim().contains(' ') && is_first_name(first.trim())
    })
}

/// `hans.mueller@soest.example`, `h.mueller@…`: two parts, of which the first
/// is a first name or one letter. Role mailboxes have no such form.
fn is_personal_mailbox(word: &str) -> bool {
    let Some((local, domain)) = word.split_once('@') else { return false };
    let Some((first, last)) = local.split_once(['.', '_']) else { return false };
    domain.contains('.')
        && last.chars().all(|c| c.is_alphabetic() || c == '-')
        && last.len() > 1
        && (first.chars().count() == 1 || is_first_name(first) || is_first_name(&umlauts(first)))
}

fn umlauts(word: &str) -> String {
    word.to_lowercase().replace("oe", "ö").replace("ue", "ü").replace("ae", "ä")
}

fn is_first_name(word: &str) -> bool {
    let is_one = |word: &str| FIRST_NAMES_LOWER.contains(&word.to_lowercase());
    // Hans-Peter is a name if one part is; `Eva-Maria` too.
    !word.is_empty() && (is_one(word) || word.split_once('-').is_some_and(|(a, b)| is_one(a) && is_one(b)))
}

fn is_capitalised(word: &str) -> bool {
    let mut letters = word.chars();
    letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
}

fn bare(word: &str) -> &str {
    word.trim_matches([',', ';', ':', '(', ')', '"', '„', '“', '<', '>'])
}

fn words(text: &str) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, letter) in text.char_indices() {
        match (letter.is_whitespace(), start) {
            (false, None) => start = Some(at),
            (true, Some(from)) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..text.len()));
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_are_found_in_running_text() {
        for (text, expected) in [
            (
                "Ansprechpartnerin ist Frau Dr. Meier aus dem Bauamt.",
                "Ansprechpartnerin ist … aus dem Bauamt.",
            ),
            ("Rückfragen an Sabine Köster, Tel. 12", "Rückfragen an … Tel. 12"),
            ("Mail: hans.mueller@soest.example", "Mail: …"),
            ("j.schulz@stadt.example pflegt die Liste", "… pflegt die Liste"),
            ("Hans-Peter Kramer führt die Liste", "… führt die Liste"),
            ("Ayşe Yıldız und Piotr Nowak pflegen sie", "… und … pflegen sie"),
            ("Stand laut Khaled Haddad, Olga Petrowa", "Stand laut … …"),
        ] {
            assert_eq!(without_persons(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn offices_streets_and_role_mailboxes_are_no_persons() {
        for text in [
            "Fachbereich Stadtentwicklung und Bauordnung",
            "Schulen: Hannah-Arendt-Gymnasium, Martin Lutherschule",
            "Daten am Peter Hahnplatz",
            "geo.daten@soest.example und opendata@soest.example",
            "Frau und Beruf: Beratungsangebote",
            "Vornamen wie Anna, Peter und Jonas",
            "",
        ] {
            assert_eq!(without_persons(text), None, "{text}");
        }
    }

    #[test]
    fn a_value_that_is_only_a_name_is_a_person() {
        for text in ["Sabine Köster", "Köster, Sabine", "Herr Müller", "sabine.koester@soest.example"] {
            assert!(is_person(text), "{text}");
        }
        for text in ["Abteilung 3.2 Stadtentwicklung", "Amt für Statistik", "Bauen, Wohnen", ""] {
            assert!(!is_person(text), "{text}");
        }
    }
}
