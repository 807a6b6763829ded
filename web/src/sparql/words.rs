//! What went wrong with a query, in German and English: clients of SPARQL show
//! an error as the text it is.

use crdt::catalog::invalid::Bilingual;
use node::rdf::sparql::{
    ANSWER_BYTES_MAX, Costly, MEMORY_BYTES_MAX, PARTS_MAX, QUERY_BYTES_MAX, QUERY_TIME_MAX, ROWS_MAX,
    SparqlError, TERM_TEXT_BYTES_MAX, TEXT_BYTES_MAX, TRIPLES_MAX, VARIABLES_MAX,
};

/// Longest piece of a request that an answer repeats, in characters.
const VALUE_CHARS_MAX: usize = 200;

/// What is wrong, and what to do.
pub(super) struct Words {
    message: Bilingual,
    remedy: Bilingual,
}

impl Words {
    fn new(message: Bilingual, remedy: Bilingual) -> Self {
        Self { message, remedy }
    }

    /// Both languages, one line each.
    pub(super) fn text(&self) -> String {
        let Self { message, remedy } = self;
        format!("{} {}\n{} {}\n", message.en, remedy.en, message.de, remedy.de)
    }
}

/// A request without a query.
pub(super) fn no_query() -> Words {
    Words::new(
        Bilingual::fixed(
            "Die Anfrage enthält keinen Parameter „query“.",
            "The request has no parameter `query`.",
        ),
        Bilingual::fixed(
            "Eine SPARQL-Abfrage angeben, zum Beispiel query=SELECT * { ?s ?p ?o } LIMIT 10.",
            "Give a SPARQL query, such as query=SELECT * { ?s ?p ?o } LIMIT 10.",
        ),
    )
}

/// A request with more queries than one.
pub(super) fn several_queries() -> Words {
    Words::new(
        Bilingual::fixed("Die Anfrage enthält mehrere Abfragen.", "The request has more than one query."),
        Bilingual::fixed(
            "Eine Abfrage je Anfrage senden: als Parameter „query“ oder als Inhalt, nicht beides.",
            "Send one query per request: as the parameter `query` or as the body, not both.",
        ),
    )
}

/// A body that is no text.
pub(super) fn not_utf8() -> Words {
    Words::new(
        Bilingual::fixed("Die Abfrage ist kein UTF-8.", "The query is not UTF-8."),
        Bilingual::fixed("Die Abfrage als UTF-8 senden.", "Send the query as UTF-8."),
    )
}

/// A body of another kind.
pub(super) fn media_type(given: &str) -> Words {
    let given = short(given);
    Words::new(
        Bilingual::made(
            format!("Der Content-Type „{given}“ ist keine Abfrage."),
            format!("The Content-Type `{given}` is no query."),
        ),
        Bilingual::fixed(
            "application/sparql-query oder application/x-www-form-urlencoded mit dem Parameter „query“ senden.",
            "Send application/sparql-query, or application/x-www-form-urlencoded with the parameter `query`.",
        ),
    )
}

/// More graphs than are looked up.
pub(super) fn too_many_graphs(max: usize) -> Words {
    Words::new(
        Bilingual::fixed("Die Anfrage nennt zu viele Graphen.", "The request names too many graphs."),
        Bilingual::made(format!("Höchstens {max} nennen."), format!("Name at most {max}.")),
    )
}

/// What the node says of a query.
pub(super) fn of(error: &SparqlError) -> Words {
    let again = || Bilingual::fixed("In wenigen Sekunden noch einmal fragen.", "Ask again in a few seconds.");
    let (message, remedy) = match error {
        SparqlError::TooLong { found } => (
            Bilingual::made(
                format!("Die Abfrage ist {found} Byte lang."),
                format!("The query is {found} bytes long."),
            ),
            Bilingual::made(
                format!("Auf höchstens {QUERY_BYTES_MAX} Byte kürzen."),
                format!("Shorten it to at most {QUERY_BYTES_MAX} bytes."),
            ),
        ),
        SparqlError::Syntax { line, column, expected } => (
            Bilingual::made(
                format!("Die Abfrage ist in Zeile {line}, Spalte {column} kein SPARQL 1.1."),
                format!("The query is no SPARQL 1.1 at line {line}, column {column}."),
            ),
            Bilingual::made(
                format!("Richtig wäre dort: {expected}."),
                format!("Right would be: {expected}."),
            ),
        ),
        SparqlError::Malformed(detail) => (
            Bilingual::made(
                format!("Die Abfrage kann nicht ausgewertet werden ({detail})."),
                format!("The query cannot be evaluated ({detail})."),
            ),
            Bilingual::fixed("Die Abfrage berichtigen.", "Correct the query."),
        ),
        SparqlError::Update => (
            Bilingual::fixed("Hier kann nur gelesen werden.", "This service only reads."),
            Bilingual::fixed(
                "SELECT, ASK, CONSTRUCT oder DESCRIBE verwenden; geändert wird der Katalog am Schreibtisch der Stadt.",
                "Use SELECT, ASK, CONSTRUCT or DESCRIBE; the catalog is edited at the town's desk.",
            ),
        ),
        SparqlError::Service => (
            Bilingual::fixed("SERVICE gibt es hier nicht.", "There is no SERVICE here."),
            Bilingual::fixed(
                "Die andere Schnittstelle selbst fragen; dieser Knoten enthält die offenen Datensätze aller Städte.",
                "Ask the other endpoint yourself; this node holds the open datasets of all towns.",
            ),
        ),
        SparqlError::UnknownGraph(name) => (
            Bilingual::made(
                format!("Den Graphen <{}> gibt es hier nicht, und es wird keiner geladen.", short(name)),
                format!("The graph <{}> is not held here, and none is fetched.", short(name)),
            ),
            Bilingual::fixed(
                "Die Graphen nennt SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } }; ohne Angabe gelten alle.",
                "SELECT DISTINCT ?g { GRAPH ?g { ?s ?p ?o } } lists the graphs; without a name all count.",
            ),
        ),
        SparqlError::UnknownFunction(name) => (
            Bilingual::made(
                format!("Die Funktion <{}> gibt es hier nicht.", short(name)),
                format!("The function <{}> is not known here.", short(name)),
            ),
            Bilingual::fixed(
                "Funktionen von SPARQL 1.1 und Umwandlungen nach xsd verwenden.",
                "Use the functions of SPARQL 1.1 and the casts to xsd.",
            ),
        ),
        SparqlError::TooManyVariables { found } => (
            Bilingual::made(
                format!("Die Abfrage hat {found} Variablen."),
                format!("The query has {found} variables."),
            ),
            Bilingual::made(
                format!("Höchstens {VARIABLES_MAX} verwenden, leere Knoten mitgezählt."),
                format!("Use at most {VARIABLES_MAX}, blank nodes counted."),
            ),
        ),
        SparqlError::TooDeep => (
            Bilingual::fixed(
                "Die runden Klammern der Abfrage sind zu tief geschachtelt.",
                "The round brackets of the query lie too deep in one another.",
            ),
            Bilingual::fixed("Ausdrücke mit BIND zerlegen.", "Take expressions apart with BIND."),
        ),
        SparqlError::TooManyParts { parts, triples } => (
            Bilingual::made(
                format!("Die Abfrage hat {parts} Teile und {triples} Tripelmuster."),
                format!("The query has {parts} parts and {triples} triple patterns."),
            ),
            Bilingual::made(
                format!(
                    "Höchstens {PARTS_MAX} Teile und {TRIPLES_MAX} Tripelmuster verwenden; lange Listen mit VALUES oder IN angeben."
                ),
                format!(
                    "Use at most {PARTS_MAX} parts and {TRIPLES_MAX} triple patterns; give long lists with VALUES or IN."
                ),
            ),
        ),
        SparqlError::Costly(costly) => return costly_words(*costly),
        SparqlError::NotAcceptable { offered } => {
            let offered = offered.join(", ");
            (
                Bilingual::fixed(
                    "Die Antwort gibt es in keiner der verlangten Formen.",
                    "The answer has none of the forms that were asked for.",
                ),
                Bilingual::made(
                    format!("Im Kopf „Accept“ eine von diesen nennen: {offered}."),
                    format!("Name one of these in `Accept`: {offered}."),
                ),
            )
        }
        SparqlError::NotExpressible { media_type, detail } => (
            Bilingual::made(
                format!("Die Antwort lässt sich nicht als {media_type} schreiben ({detail})."),
                format!("The answer cannot be written as {media_type} ({detail})."),
            ),
            Bilingual::fixed(
                "Eine andere Form verlangen, etwa text/turtle.",
                "Ask for another form, such as text/turtle.",
            ),
        ),
        SparqlError::Rebuilding { .. } => {
            (Bilingual::fixed("Der Graph wird gerade aufgebaut.", "The graph is being made."), again())
        }
        SparqlError::Busy | SparqlError::Abandoned => (
            Bilingual::fixed(
                "Es werden gerade zu viele andere Abfragen ausgewertet.",
                "Too many other queries are being evaluated.",
            ),
            again(),
        ),
        SparqlError::Store(_) | SparqlError::Fault => (
            Bilingual::fixed("Auf dem Knoten ist ein Fehler aufgetreten.", "The node has met an error."),
            Bilingual::fixed(
                "Noch einmal versuchen; bleibt der Fehler, die Stadt ansprechen.",
                "Try again; if it stays, tell the town.",
            ),
        ),
    };
    Words::new(message, remedy)
}

fn costly_words(costly: Costly) -> Words {
    let stopped = |de: String, en: String| {
        Bilingual::made(
            format!("Die Abfrage wurde abgebrochen: {de}."),
            format!("The query was stopped: {en}."),
        )
    };
    let narrower = || {
        Bilingual::fixed(
            "Muster durch gemeinsame Variablen verbinden, enger filtern oder LIMIT setzen; den ganzen Katalog gibt es unter /catalog.ttl.",
            "Join patterns by common variables, filter more or set LIMIT; the whole catalog is at /catalog.ttl.",
        )
    };
    let (message, remedy) = match costly {
        Costly::Time => {
            let seconds = QUERY_TIME_MAX.as_secs();
            (
                stopped(
                    format!("sie brauchte mehr als {seconds} s"),
                    format!("it took more than {seconds} s"),
                ),
                narrower(),
            )
        }
        Costly::Memory => {
            let mib = MEMORY_BYTES_MAX >> 20;
            (
                stopped(
                    format!("ihre Zwischenergebnisse brauchten mehr als {mib} MiB"),
                    format!("what it keeps took more than {mib} MiB"),
                ),
                narrower(),
            )
        }
        Costly::Text => {
            let (mib, kib) = (TEXT_BYTES_MAX >> 20, TERM_TEXT_BYTES_MAX >> 10);
            (
                stopped(
                    format!(
                        "sie stellt mehr als {mib} MiB Text zusammen oder einen Text von mehr als {kib} KiB"
                    ),
                    format!("it puts together more than {mib} MiB of text, or a text of more than {kib} KiB"),
                ),
                Bilingual::fixed("Weniger oder kürzere Texte verbinden.", "Join fewer or shorter texts."),
            )
        }
        Costly::EmptySolutions => (
            stopped(
                "ein Teil von ihr bindet keine Variable und hat beliebig viele Lösungen".into(),
                "a part of it binds no variable and has any number of solutions".into(),
            ),
            Bilingual::fixed(
                "In jeder Unterabfrage eine Variable wählen, die immer gebunden ist.",
                "Select a variable that is always bound in each subquery.",
            ),
        ),
        Costly::Rows => (
            stopped(
                format!("sie hat mehr als {ROWS_MAX} Ergebnisse"),
                format!("it has more than {ROWS_MAX} results"),
            ),
            Bilingual::fixed("LIMIT und OFFSET setzen.", "Set LIMIT and OFFSET."),
        ),
        Costly::Bytes => {
            let mib = ANSWER_BYTES_MAX >> 20;
            (
                stopped(
                    format!("ihre Antwort ist länger als {mib} MiB"),
                    format!("its answer is longer than {mib} MiB"),
                ),
                Bilingual::fixed("LIMIT und OFFSET setzen.", "Set LIMIT and OFFSET."),
            )
        }
    };
    Words::new(message, remedy)
}

fn short(text: &str) -> String {
    text.chars().take(VALUE_CHARS_MAX).collect()
}
