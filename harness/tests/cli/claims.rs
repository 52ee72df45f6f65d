//! `claims`: what somebody says, against what is recorded.

use super::support::{json, stderr, stdout};
use super::world::World;
use rstest::rstest;
use snapbox::str;

#[test]
fn every_claim_is_held_against_every_release() {
    let run = World::of_two_releases().sockdiff("claims --evidence").assert().success();
    run.stderr_eq("").stdout_eq(str![[r#"
a/close
  a FIN is sent
      RFC 1 §2, A7
      refuted  linux 6.18
      holds    linux 6.12
      linux 6.12, holds:
        | client > server [F.] seq 1 ack 1
      linux 6.18, refuted:
        | (not found: client > server [F.])
        | (instead: client > server [R.] seq 1 ack 1)
  only old kernels succeed
      RFC 1 §3; about linux <6.18
      holds    linux 6.12
      linux 6.12, holds:
        | client.close() = 0

hold  refuted  by platform  not recorded  source
   1        0            1             0  RFC 1

2 statements: 1 hold wherever recorded, 1 differ by platform

"#]]);
}

#[rstest]
#[case("--verdict refuted", &["a FIN is sent"])]
#[case("--verdict holds --platform linux-6.18", &[])]
#[case("--verdict holds --platform linux-6.12", &["a FIN is sent", "only old kernels succeed"])]
#[case("--verdict not-recorded --platform linux", &[])]
#[case("--verdict not-recorded --platform linux-6.18", &["only old kernels succeed"])]
#[case("--source §3", &["only old kernels succeed"])]
#[case("--source rfc", &["a FIN is sent", "only old kernels succeed"])]
#[case("--source articles", &["a FIN is sent"])]
#[case("a/same", &[])]
fn claims_are_picked(#[case] arguments: &str, #[case] expected: &[&str]) {
    let world = World::of_two_releases();
    let run = world.sockdiff(&format!("claims {arguments} --json")).assert().success();
    let claims = json(&run);
    let rows = claims.as_array().expect("a list").iter();
    let says: Vec<&str> = rows.filter_map(|row| row["says"].as_str()).collect();
    assert_eq!(says, expected);
}

#[test]
fn json_has_its_shape() {
    let world = World::of_two_releases();
    let claims = json(&world.sockdiff("claims --json").assert().success());
    let keys: Vec<&String> = claims[0].as_object().expect("a map").keys().collect();
    assert_eq!(keys, ["case", "platforms", "says", "source", "verdicts"]);
    assert_eq!(claims[1]["platforms"], serde_json::json!(["linux <6.18"]));
    let verdicts = serde_json::json!({"linux-6.12": "holds", "linux-6.18": "not recorded"});
    assert_eq!(claims[1]["verdicts"], verdicts);
    let claims = json(&world.sockdiff("claims --json --evidence").assert().success());
    assert_eq!(claims[0]["evidence"]["linux-6.12"][0], "client > server [F.] seq 1 ack 1");
}

#[test]
fn unknown_platform_is_told_with_the_nearest() {
    let run = World::of_two_releases().sockdiff("claims --platform linus").assert().code(2);
    assert!(stderr(&run).contains("nothing is recorded for `linus`"), "{}", stderr(&run));
    assert!(stderr(&run).contains("did you mean `linux`?"), "{}", stderr(&run));
}

#[test]
fn nothing_recorded_refutes_nothing() {
    let run = World::new().sockdiff("claims").assert().success();
    assert!(stdout(&run).ends_with("\n2 statements: 2 not recorded\n"), "{}", stdout(&run));
}
