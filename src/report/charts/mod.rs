//! Charts: what grew, what survived, what was allocated in passing.

mod churn;
mod focus;
mod growth;
mod impact;
mod plot;
mod resource;
mod scale;
mod survivors;
mod theme;
mod values;

use std::path::PathBuf;

use heapsoak_verdict::{ComponentVerdict, Finding, Pattern};

use crate::summary::ScenarioSummary;
use crate::{RenderError, Rendered, Renderer, Run};
use focus::Focus;
use plot::Plot;

pub(crate) use theme::STYLE;

/// Charts as SVG files in `charts/`.
#[derive(Debug, Clone, Copy, Default)]
pub struct Charts;

impl Renderer for Charts {
    fn name(&self) -> &'static str {
        "charts"
    }

    fn render(&self, run: &Run<'_>) -> Result<Vec<Rendered>, RenderError> {
        let album = Album::draw(run)?;
        Ok(album.all().map(Chart::file).collect())
    }
}

/// A chart that is drawn.
#[derive(Debug, Clone)]
pub(crate) struct Chart {
    /// Name of its file, without folder and ending.
    pub(crate) name: String,
    /// The drawing, to be put into a page.
    pub(crate) svg: String,
}

impl Chart {
    fn draw(name: &str, plot: &Plot) -> Result<Chart, RenderError> {
        Ok(Chart { name: slug(name), svg: plot.draw()? })
    }

    /// The chart as a file of its own.
    pub(crate) fn file(&self) -> Rendered {
        let path = PathBuf::from("charts").join(format!("{}.svg", self.name));
        Rendered::new(path, plot::stand_alone(&self.svg))
    }
}

/// Every chart of a run, by the place it belongs to.
#[derive(Debug, Clone)]
pub(crate) struct Album {
    /// Live bytes, one chart per component, in their order.
    pub(crate) growth: Vec<Chart>,
    /// Survivors per cohort, one chart per leaking component.
    pub(crate) survivors: Vec<Chart>,
    /// One list per finding, in their order.
    pub(crate) findings: Vec<Vec<Chart>>,
    /// One chart per resource, in their order.
    pub(crate) resources: Vec<Chart>,
}

impl Album {
    pub(crate) fn draw(run: &Run<'_>) -> Result<Album, RenderError> {
        let judgement = run.judgement;
        let warm_up = judgement.quality.warm_up_requests;
        let components = judgement.components.iter();
        let growth = components
            .clone()
            .map(|component| {
                Chart::draw(&format!("growth-{}", component.name), &growth::plot(component, warm_up))
            })
            .collect::<Result<_, _>>()?;
        let survivors = components
            .filter(|component| component.verdict == ComponentVerdict::Leak)
            .map(|component| {
                let plot = survivors::plot(&component.name, &component.survivors);
                Chart::draw(&format!("survivors-{}", component.name), &plot)
            })
            .collect::<Result<_, _>>()?;
        let resources: Vec<Chart> = judgement
            .resources
            .iter()
            .map(|resource| Chart::draw(&format!("resource-{}", resource.name), &resource::plot(resource)))
            .collect::<Result<_, _>>()?;
        let findings = judgement
            .findings
            .iter()
            .enumerate()
            .map(|(index, finding)| finding_charts(run, index + 1, finding, &resources))
            .collect::<Result<_, _>>()?;
        let mut album = Album { growth, survivors, findings, resources };
        album.tell_apart();
        Ok(album)
    }

    /// Every chart once.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Chart> {
        let own = self.findings.iter().flatten().filter(|chart| chart.name.starts_with("finding-"));
        own.chain(&self.growth).chain(&self.survivors).chain(&self.resources)
    }

    /// Two names may be the same once they are file names (`a b` and `a-b`): number the later ones.
    fn tell_apart(&mut self) {
        let mut seen: Vec<String> = Vec::new();
        for chart in self.growth.iter_mut().chain(&mut self.survivors).chain(&mut self.resources) {
            let plain = chart.name.clone();
            let mut number = 1;
            while seen.contains(&chart.name) {
                number += 1;
                chart.name = format!("{plain}-{number}");
            }
            seen.push(chart.name.clone());
        }
    }
}

/// The charts that show a finding: the component's memory, narrowed down to the requests that trigger it.
fn finding_charts(
    run: &Run<'_>,
    number: usize,
    finding: &Finding,
    resources: &[Chart],
) -> Result<Vec<Chart>, RenderError> {
    let focus = Focus::on(run, finding);
    let name = |what: &str| format!("finding-{number}-{what}");
    let mut charts = Vec::new();
    if finding.pattern == Pattern::Churn {
        charts.extend(focus.churn().map(|plot| Chart::draw(&name("churn"), &plot)).transpose()?);
    }
    if finding.growth_bytes_per_1000_requests.estimate > 0.0 || finding.pattern != Pattern::Churn {
        charts.extend(focus.live().map(|plot| Chart::draw(&name("live"), &plot)).transpose()?);
    }
    if finding.growth_bytes_per_1000_requests.estimate > 0.0 {
        charts.extend(focus.survivors().map(|plot| Chart::draw(&name("survivors"), &plot)).transpose()?);
    }
    let judged = run.judgement.resources.iter().zip(resources);
    charts.extend(
        judged
            .filter(|(resource, _)| finding.resources.contains(&resource.name))
            .map(|(_, chart)| chart.clone()),
    );
    Ok(charts)
}

/// The chart above several scenarios: what each would have kept after 10,000 requests.
pub(crate) fn impact(scenarios: &[ScenarioSummary]) -> Result<Chart, RenderError> {
    Ok(Chart { name: "impact".to_owned(), svg: impact::draw(scenarios)? })
}

/// A name that is safe as part of a file name and of a link, whatever it was.
fn slug(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' })
        .take(80)
        .collect();
    if safe.is_empty() { "unnamed".to_owned() } else { safe }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn a_name_cannot_leave_the_folder_of_charts() {
        assert_eq!(slug("growth-../../etc/passwd"), "growth-------etc-passwd");
        assert_eq!(slug("fds.pipe"), "fds-pipe");
        assert_eq!(slug(&"x".repeat(300)).len(), 80);
    }
}
