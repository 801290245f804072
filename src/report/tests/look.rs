//! Writes the synthetic report to a folder (temporary look).
mod synthetic;
#[test]
fn look() {
    let dir = std::path::PathBuf::from(std::env::var_os("LOOK").unwrap());
    let r = synthetic::recording("claims");
    let j = synthetic::judgement(&r);
    heapsoak_report::write_run(&dir.join("claims"), &r, &j).unwrap();
    let run = heapsoak_report::Run { recording: &r, judgement: &j };
    println!("{}", heapsoak_report::Terminal { colour: true }.text(&run));
    let mut scenarios: Vec<_> = vec![heapsoak_report::ScenarioSummary::of(&run, std::path::Path::new("claims"), Some(vec![]))];
    for n in ["cache","fixed","missed","mixed","process","queue","session","verifier"] { let mut s = scenarios[0].clone(); s.name=n.to_owned(); 
      if n=="fixed" {s.verdict=heapsoak_verdict::RunVerdict::Clean; s.findings.clear(); s.combined_impact_at_10000_requests_bytes=0.0; s.out_of_memory_seconds=None; s.claims.clear(); s.unmet=Some(vec!["cache is leak, expected stable".to_owned()]);}
      scenarios.push(s); }
    heapsoak_report::write_index(&dir, &scenarios).unwrap();
    println!("{}", heapsoak_report::scenario_table(&scenarios, true));
}
