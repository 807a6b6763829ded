//! No person and no drive of the house gets into a public field.

use super::*;

const LIST: &str = "\
Ausgefüllt von: Irmgard Wöhlert;;;;;;;
Titel;Beschreibung;Verantwortlichkeit;Funktionspostfach;Tags;Kontaktstelle;Ressource Link;Ansprechperson
Baumkataster;Gepflegt durch Ayşe Yıldız, liegt unter K:\\Amt 61\\baum.xlsx.;Grünflächen;ayse.yildiz@soest.example;Baum, Ayşe Yıldız;Yıldız, Ayşe;https://daten.soest.example/baum;Herr Tønnesvold
Radwege;Fragen an Herrn Tønnesvold oder \\\\srv01\\rad;Tiefbau / B. Quellmalz;b.quellmalz@soest.example;Rad;Geodaten;;Ayşe Yıldız, Tel. 17
Brücken (B. Quellmalz);Prüfberichte;Tiefbau;bruecken@soest.example;;Geodaten;;Berthold Quellmalz
Team Geodaten;Was das Team Geodaten pflegt;Geodaten;geodaten@soest.example;;Team Geodaten;;Team Geodaten
";

#[tokio::test(flavor = "multi_thread")]
async fn no_name_of_the_sheet_is_in_any_public_field_of_any_record() {
    let node = soest();
    let report = import(&node, "inventar.csv", LIST.as_bytes(), options("inventar")).await;
    assert_eq!(counts(&report), [4, 0, 0, 0], "{}", sentences(&report.problems));
    let records = records(&node);
    for record in &records {
        let public = serde_json::to_string(&record.dataset).unwrap().to_lowercase();
        for private in ["yıldız", "yildiz", "tønnesvold", "quellmalz", "amt 61", "srv01"] {
            assert!(!public.contains(private), "{private}: {public}");
        }
    }
    let notes = |at: usize| records[at].internal.notes.as_ref().unwrap().as_str();
    for kept in ["K:\\Amt 61\\baum.xlsx", "Ayşe Yıldız", "ayse.yildiz@soest.example", "Herr Tønnesvold"] {
        assert!(notes(0).contains(kept), "{kept}: {}", notes(0));
    }
    assert!(
        notes(2).contains("\\\\srv01\\rad") && notes(2).contains("b.quellmalz@soest.example"),
        "{}",
        notes(2)
    );
    let team = &records[3].dataset;
    assert_eq!(team.title.de.as_ref().unwrap().as_str(), "Team Geodaten", "a team is no person");
    assert_eq!(team.contact.email.as_ref().unwrap().as_str(), "geodaten@soest.example");
    let hints = sentences(&report.hints);
    assert!(hints.contains("nennt einen Ablageort") && hints.contains("als Ansprechperson steht"), "{hints}");
}
