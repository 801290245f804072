//! A live view in the terminal: of a soak, by the recording it writes, or of any server, by its probe's socket.

mod attached;
mod draw;
mod followed;
mod trend;
mod view;

use std::io::{self, IsTerminal as _};
use std::path::Path;
use std::time::{Duration, Instant};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};

use crate::arguments::Watch;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::print;
use attached::Attached;
use followed::Followed;
use view::View;

/// How often the screen looks for a key.
const KEYS: Duration = Duration::from_millis(100);

/// How often the source is asked for news.
const NEWS: Duration = Duration::from_secs(1);

/// Columns and rows of the picture that is printed once.
const ONCE: (u16, u16) = (80, 30);

/// What is watched.
enum Source {
    Followed(Followed),
    Attached(Box<Attached>),
}

impl Source {
    fn open(arguments: &Watch) -> Result<Source, Failure> {
        match &arguments.socket {
            Some(socket) => Ok(Source::Attached(Box::new(Attached::connect(socket)?))),
            None => {
                let run = arguments.run.as_deref().unwrap_or(Path::new("reports"));
                Ok(Source::Followed(Followed::open(run)?))
            }
        }
    }

    /// Takes in what is new.
    fn look(&mut self) -> Result<View, Failure> {
        match self {
            Source::Followed(followed) => followed.look(),
            Source::Attached(attached) => attached.look(),
        }
    }
}

/// Watches until the user has seen enough.
pub(crate) fn watch(arguments: &Watch) -> Result<Exit, Failure> {
    let mut source = Source::open(arguments)?;
    if arguments.once {
        let view = source.look()?;
        return print::data(draw::text(&view, ONCE));
    }
    if !io::stdout().is_terminal() {
        let why = "watch draws on a terminal, and stdout is none: use `heapsoak watch --once` for one picture as text";
        return Err(Failure::new(Exit::Usage, why));
    }
    let mut terminal = ratatui::init();
    let watched = show(&mut terminal, &mut source);
    ratatui::restore();
    let view = watched?;
    print::data(draw::text(&view, (ONCE.0, view.rows())))
}

/// Draws what is new until a key ends it; the last view.
fn show(terminal: &mut ratatui::DefaultTerminal, source: &mut Source) -> Result<View, Failure> {
    let broken =
        |error: io::Error| Failure::new(Exit::Internal, format!("can't draw on the terminal: {error}"));
    let mut view = source.look()?;
    let mut looked = Instant::now();
    loop {
        terminal.draw(|frame| draw::draw(frame, &view)).map_err(broken)?;
        if event::poll(KEYS).map_err(broken)? && is_end(&event::read().map_err(broken)?) {
            return Ok(view);
        }
        if looked.elapsed() >= NEWS {
            view = source.look()?;
            looked = Instant::now();
        }
    }
}

/// `q`, Escape or Ctrl-C.
fn is_end(event: &Event) -> bool {
    let Event::Key(key) = event else { return false };
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press && (control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc))
}
