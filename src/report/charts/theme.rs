//! Colours of the charts.
//!
//! They are chosen for a light background and written into the SVG as plain attributes, so that every viewer shows
//! them; [`STYLE`] swaps them for a dark one by matching those attributes, alone in a file as well as in the page.

use plotters::style::RGBColor;

/// A part of a chart, by what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// What is measured.
    Plain,
    /// What is measured, and is bad.
    Alarm,
    /// What does not count: the start, warm-up, the youngest cohorts.
    Faint,
    /// Shading behind the judged range.
    Band,
}

impl Tone {
    pub(crate) const fn colour(self) -> RGBColor {
        match self {
            Tone::Plain => RGBColor(0x2F, 0x5D, 0x8C),
            Tone::Alarm => RGBColor(0xB4, 0x23, 0x18),
            Tone::Faint => RGBColor(0xA9, 0xB4, 0xC0),
            Tone::Band => RGBColor(0xF0, 0xF3, 0xF6),
        }
    }
}

pub(crate) const INK: RGBColor = RGBColor(0x1F, 0x29, 0x33);
pub(crate) const MUTED: RGBColor = RGBColor(0x5F, 0x6B, 0x7A);
pub(crate) const GRID: RGBColor = RGBColor(0xDD, 0xE2, 0xE8);

/// Rules that turn the colours for a dark background, for `<style>` in the page or in a file of its own.
pub(crate) const STYLE: &str = "\
.heapsoak-chart text{font-family:system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif;font-variant-numeric:tabular-nums}
@media screen and (prefers-color-scheme:dark){
.heapsoak-chart [fill='#1F2933']{fill:#E6E9ED}
.heapsoak-chart [fill='#5F6B7A']{fill:#9AA5B1}
.heapsoak-chart [stroke='#5F6B7A']{stroke:#6B7683}
.heapsoak-chart [stroke='#DDE2E8']{stroke:#2C343D}
.heapsoak-chart [fill='#2F5D8C']{fill:#86B4E3}
.heapsoak-chart [stroke='#2F5D8C']{stroke:#86B4E3}
.heapsoak-chart [fill='#B42318']{fill:#FF8E80}
.heapsoak-chart [stroke='#B42318']{stroke:#FF8E80}
.heapsoak-chart [fill='#A9B4C0']{fill:#56616D}
.heapsoak-chart [stroke='#A9B4C0']{stroke:#56616D}
.heapsoak-chart [fill='#F0F3F6']{fill:#1E252C}
}
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_colour_has_a_counterpart_on_a_dark_background() {
        let colours = [
            Tone::Plain.colour(),
            Tone::Alarm.colour(),
            Tone::Faint.colour(),
            Tone::Band.colour(),
            INK,
            MUTED,
            GRID,
        ];
        for RGBColor(r, g, b) in colours {
            let written = format!("'#{r:02X}{g:02X}{b:02X}'");
            assert!(STYLE.contains(&written), "{written} is not turned");
        }
    }
}
