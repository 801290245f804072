use heapsoak_report::Bytes;
use ratatui::Frame;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Cell, LineGauge, Paragraph, Row, Table};

use super::view::{ComponentLine, View};

/// Columns of the curve of a component.
const CURVE: usize = 14;

/// Draws a view on the whole frame.
pub(crate) fn draw(frame: &mut Frame<'_>, view: &View) {
    let resources = u16::try_from(view.resources.len().div_ceil(2)).unwrap_or(u16::MAX);
    let [head, bar, components, _, lent, foot] = Layout::vertical([
        Constraint::Length(2),
        Constraint::Length(2),
        Constraint::Min(3),
        Constraint::Length(1),
        Constraint::Length(resources),
        Constraint::Length(2),
    ])
    .areas(frame.area());
    let strong = Style::new().add_modifier(Modifier::BOLD);
    let title = vec![Line::styled(view.title.as_str(), strong), Line::raw(view.progress.as_str())];
    frame.render_widget(Paragraph::new(title), head);
    if let Some(done) = view.done {
        let percent = format!("{:.0} %", (done * 100.0).floor());
        let gauge = LineGauge::default().ratio(done.clamp(0.0, 1.0)).label(percent);
        frame.render_widget(gauge.filled_style(Style::new().fg(Color::Blue)), Rect { height: 1, ..bar });
    }
    frame.render_widget(component_table(view), components);
    frame.render_widget(resource_table(view), lent);
    let quiet = Style::new().add_modifier(Modifier::DIM);
    let foot_lines = vec![Line::raw(""), Line::styled(view.foot.as_str(), quiet)];
    frame.render_widget(Paragraph::new(foot_lines), foot);
}

fn component_table(view: &View) -> Table<'_> {
    let right = |text: String| Cell::from(Line::from(text).right_aligned());
    let rows = view.components.iter().map(|component| {
        let style = if component.is_bad { Style::new().fg(Color::Red) } else { Style::new() };
        Row::new(vec![
            Cell::from(component.name.as_str()),
            Cell::from(component.verdict).style(style),
            right(now(component)),
            Cell::from(Span::styled(curve(&component.live, CURVE), Style::new().fg(Color::Blue))),
            right(component.growth.clone()).style(style),
            right(component.interval.clone()),
        ])
    });
    let widths = [
        Constraint::Fill(1),
        Constraint::Length(12),
        Constraint::Length(9),
        Constraint::Length(CURVE as u16),
        Constraint::Length(10),
        Constraint::Length(19),
    ];
    let head = ["component", "so far", "alive", "", view.per, "95 % interval"].map(str::to_owned);
    let [component, verdict, alive, curve, per, interval] = head;
    let head = vec![
        Cell::from(component),
        Cell::from(verdict),
        right(alive),
        Cell::from(curve),
        right(per),
        right(interval),
    ];
    Table::new(rows, widths).header(Row::new(head).style(Style::new().add_modifier(Modifier::UNDERLINED)))
}

fn now(component: &ComponentLine) -> String {
    component.live.last().map_or_else(String::new, |bytes| Bytes(*bytes as f64).to_string())
}

/// Resources, two beside each other.
fn resource_table(view: &View) -> Table<'_> {
    let cells = |at: Option<&super::view::ResourceLine>| {
        at.map_or_else(
            || vec![String::new(); 3],
            |one| vec![one.name.clone(), one.value.clone(), one.since_start.clone()],
        )
    };
    let half = view.resources.len().div_ceil(2);
    let rows = (0..half).map(|index| {
        let mut row = cells(view.resources.get(index));
        row.extend(cells(view.resources.get(index + half)));
        Row::new(row)
    });
    let widths = [17, 9, 11, 18, 9, 11].map(Constraint::Length);
    Table::new(rows.collect::<Vec<_>>(), widths)
}

/// A curve of block letters, from zero up to the highest value.
pub(crate) fn curve(values: &[u64], columns: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let highest = values.iter().copied().max().unwrap_or(0).max(1);
    let shown = values.len().min(columns);
    let block = |value: u64| {
        let level = (value as f64 / highest as f64 * (BLOCKS.len() - 1) as f64).round() as usize;
        BLOCKS[level.min(BLOCKS.len() - 1)]
    };
    // The last value stands in the last column, whatever is left out before.
    (0..shown).map(|column| values[(column + 1) * values.len() / shown - 1]).map(block).collect()
}

/// A view as text, for what is no terminal.
pub(crate) fn text(view: &View, (columns, rows): (u16, u16)) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).expect("a buffer in memory can't fail");
    terminal.draw(|frame| draw(frame, view)).expect("a buffer in memory can't fail");
    let buffer = terminal.backend().buffer();
    let mut text = String::new();
    for row in buffer.content.chunks(usize::from(columns)) {
        let line: String = row.iter().map(ratatui::buffer::Cell::symbol).collect();
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::super::view::ResourceLine;
    use super::*;

    fn component(name: &str, verdict: &'static str, live: &[u64], growth: &str) -> ComponentLine {
        ComponentLine {
            name: name.to_owned(),
            verdict,
            is_bad: verdict == "leak",
            live: live.to_vec(),
            growth: growth.to_owned(),
            interval: "436 to 456 KiB".to_owned(),
            rate: 1.0,
        }
    }

    #[test]
    fn the_screen_reads_as_before() {
        let resource = |name: &str, value: &str| ResourceLine {
            name: name.to_owned(),
            value: value.to_owned(),
            since_start: "+4".to_owned(),
        };
        let view = View {
            title: "session · seed 7 · autopilot".to_owned(),
            progress: "cycle 12 of 24 · 480 requests · 61 a second".to_owned(),
            done: Some(0.5),
            per: "per 1,000",
            components: vec![
                component("session", "leak", &[0, 1_000, 2_000, 3_000, 4_000_000], "+446 KiB"),
                component("cache", "bounded", &[5, 5, 5], "0 B"),
            ],
            resources: vec![resource("fds.pipe", "12"), resource("threads", "6"), resource("rss", "24 MiB")],
            foot: "q to leave".to_owned(),
        };
        insta::assert_snapshot!(text(&view, (80, 16)));
        assert!(text(&view, (80, view.rows())).contains("cache"));
        // Any size is drawn, none panics.
        for size in [(1, 1), (20, 3), (200, 60)] {
            text(&view, size);
        }
        text(&View::default(), (80, 24));
    }

    #[test]
    fn what_leaks_is_red_on_the_screen() {
        let view = View { components: vec![component("session", "leak", &[1], "+1 B")], ..View::default() };
        let mut terminal = Terminal::new(TestBackend::new(80, 16)).unwrap();
        terminal.draw(|frame| draw(frame, &view)).unwrap();
        let cells = &terminal.backend().buffer().content;
        let red: String =
            cells.iter().filter(|cell| cell.fg == Color::Red).map(ratatui::buffer::Cell::symbol).collect();
        assert!(red.contains("leak"), "{red}");
    }

    #[test]
    fn a_curve_ends_with_the_last_value_and_is_as_wide_as_asked() {
        assert_eq!(curve(&[0, 7], 14), "▁█");
        let long: Vec<u64> = (0..100).collect();
        let drawn = curve(&long, 14);
        assert_eq!((drawn.chars().count(), drawn.chars().last()), (14, Some('█')));
        assert_eq!(curve(&[], 14), "");
        assert_eq!(curve(&[0, 0], 14), "▁▁");
    }
}
