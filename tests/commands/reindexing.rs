//! `hanse reindex`: with a running node and without one.

use crate::binary::hanse;
use crate::serving::serving;

#[test]
fn only_a_running_node_makes_its_indexes_anew() {
    let temp = tempfile::tempdir().expect("a directory");
    let at = temp.path();
    let mut node = serving(at);
    hanse("create --dir {} --set title.de=Brunnen --set identifier=brunnen", at).done();
    assert!(hanse("reindex --dir {}", at).done().contains("begun"));
    assert_eq!(node.terminate(), Some(0));
    hanse("reindex --dir {}", at).refused(1, &["no node is running", "index"]);
    assert_eq!(hanse("show --dir {} brunnen --json", at).json()["title"]["de"], "Brunnen");
}
