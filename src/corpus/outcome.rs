use heapsoak_record::Recording;
use heapsoak_verdict::Judgement;

/// What a soak gives.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// All that was counted, snapshot by snapshot.
    pub recording: Recording,
    /// What it means.
    pub judgement: Judgement,
}
