use std::fs;

use super::*;
use crate::testing::config;

const STORES: [&str; 2] = ["none", "queue.rewrite-file"];

fn new(title: &str, priority: Priority, issue: Option<&str>) -> NewTask {
    let issue = issue.map(|issue| issue.parse().unwrap());
    NewTask { title: title.to_owned(), description: "text".to_owned(), priority, issue }
}

fn plain(title: &str) -> NewTask {
    new(title, Priority::Normal, None)
}

fn outcome() -> Outcome {
    Outcome::new(&"session-1".parse().unwrap(), "it is done", &["alpha".to_owned()])
}

fn failure(again: bool) -> Failure {
    Failure { why: "the agent failed".to_owned(), again }
}

/// What can be claimed at once, by title.
fn claimed(queue: &Queue) -> Option<Claim> {
    match queue.claim() {
        Next::Claim(claim) => Some(claim),
        Next::Wait(_) | Next::Stopped => None,
    }
}

fn obstruct(config: &Config) -> PathBuf {
    let (path, aside) = (config.data.join(FILE), config.data.join("aside"));
    fs::rename(&path, &aside).unwrap();
    fs::create_dir(&path).unwrap();
    fs::write(path.join("in-the-way"), "").unwrap();
    aside
}

fn restore(config: &Config, aside: &std::path::Path) {
    fs::remove_dir_all(config.data.join(FILE)).unwrap();
    fs::rename(aside, config.data.join(FILE)).unwrap();
}

#[test]
fn the_most_urgent_comes_first_and_then_the_oldest() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(&config(folder.path(), "none")).unwrap();
    for (title, priority) in [
        ("low", Priority::Low),
        ("normal 1", Priority::Normal),
        ("critical", Priority::Critical),
        ("normal 2", Priority::Normal),
        ("high", Priority::High),
    ] {
        queue.add(new(title, priority, None)).unwrap();
    }
    let order: Vec<_> = std::iter::from_fn(|| claimed(&queue).map(|claim| claim.prompt)).collect();
    assert_eq!(order, ["critical\ntext", "high\ntext", "normal 1\ntext", "normal 2\ntext", "low\ntext"]);
}

#[test]
fn a_full_queue_refuses() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { queue_capacity: 2, ..config(folder.path(), "none") };
    let queue = Queue::open(&config).unwrap();
    queue.add(plain("a")).unwrap();
    queue.add(plain("b")).unwrap();
    assert!(matches!(queue.add(plain("c")), Err(NotQueued::Full(2))));
    claimed(&queue).unwrap();
    queue.add(plain("c")).unwrap();
}

#[test]
fn one_issue_has_one_task_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(&config(folder.path(), "none")).unwrap();
    let issue = || new("a", Priority::Normal, Some("ISSUE-1"));
    let id = queue.add(issue()).unwrap();
    assert!(matches!(queue.add(issue()), Err(NotQueued::Duplicate { task, .. }) if task == id));
    let claim = claimed(&queue).unwrap();
    assert!(matches!(queue.add(issue()), Err(NotQueued::Duplicate { .. })), "it is active");
    queue.finish(&claim.id, Ok(outcome()));
    queue.add(issue()).unwrap();
}

#[test]
fn as_found_one_issue_can_run_twice_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(&config(folder.path(), "queue.duplicate-check")).unwrap();
    for _ in 0..2 {
        queue.add(new("a", Priority::Normal, Some("ISSUE-1"))).unwrap();
    }
    assert!(claimed(&queue).is_some() && claimed(&queue).is_some());
}

#[test]
fn a_failed_task_is_tried_again_later_until_it_failed_too_often() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { retries: 2, retry_backoff: Duration::ZERO, ..config(folder.path(), "none") };
    let queue = Queue::open(&config).unwrap();
    let id = queue.add(plain("a")).unwrap();
    for attempt in 1..=3 {
        let claim = claimed(&queue).unwrap();
        queue.finish(&claim.id, Err(failure(true)));
        assert_eq!(queue.task(&id).unwrap().attempts, attempt);
    }
    assert_eq!(queue.task(&id).unwrap().state, State::Failed);
    assert!(claimed(&queue).is_none());
}

#[test]
fn a_failed_task_is_not_claimed_before_its_pause_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { retry_backoff: Duration::from_secs(1_000), ..config(folder.path(), "none") };
    let queue = Queue::open(&config).unwrap();
    queue.add(plain("a")).unwrap();
    let mut least = Duration::from_secs(990);
    let mut now = clock::monotonic();
    for _ in 0..2 {
        let Next::Claim(claim) = queue.locked().board.claim(now) else { panic!("nothing to claim") };
        queue.locked().board.finish(&claim.id, Err(failure(true)), now, config.retry_backoff);
        let Next::Wait(Some(due)) = queue.locked().board.claim(now) else { panic!("it is not delayed") };
        assert!(due >= least, "due in {due:?}");
        least *= 2;
        now += due;
    }
}

#[test]
fn a_task_that_can_never_succeed_is_not_tried_again() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(&config(folder.path(), "none")).unwrap();
    let id = queue.add(plain("a")).unwrap();
    claimed(&queue).unwrap();
    queue.finish(&id, Err(failure(false)));
    assert_eq!(queue.task(&id).unwrap().state, State::Failed);
}

#[test]
fn a_paused_queue_hands_nothing_out() {
    let folder = tempfile::tempdir().unwrap();
    let queue = Queue::open(&config(folder.path(), "none")).unwrap();
    queue.pause(true);
    queue.add(plain("a")).unwrap();
    assert!(claimed(&queue).is_none());
    queue.pause(false);
    assert!(claimed(&queue).is_some());
}

#[test]
fn tasks_outlive_the_server_in_both_stores() {
    for store in STORES {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), store);
        let queue = Queue::open(&config).unwrap();
        let done = queue.add(plain("done")).unwrap();
        claimed(&queue).unwrap();
        queue.finish(&done, Ok(outcome()));
        let active = queue.add(new("active", Priority::Critical, Some("ISSUE-1"))).unwrap();
        claimed(&queue).unwrap();
        let waiting = queue.add(plain("waiting")).unwrap();
        drop(queue); // as a killed server would leave it

        let queue = Queue::open(&config).unwrap();
        assert_eq!(queue.task(&done).unwrap().outcome, Some(outcome()), "{store}");
        assert_eq!(queue.task(&active).unwrap().state, State::Queued);
        assert!(matches!(
            queue.add(new("again", Priority::Normal, Some("ISSUE-1"))),
            Err(NotQueued::Duplicate { .. })
        ));
        assert_eq!(claimed(&queue).unwrap().id, active);
        assert_eq!(claimed(&queue).unwrap().id, waiting);
        assert!(claimed(&queue).is_none());
    }
}

#[test]
fn a_task_that_ends_the_server_each_time_is_given_up() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { retries: 1, ..config(folder.path(), "none") };
    let id = Queue::open(&config).unwrap().add(plain("deadly")).unwrap();
    for _ in 0..2 {
        assert!(claimed(&Queue::open(&config).unwrap()).is_some());
    }
    let queue = Queue::open(&config).unwrap();
    assert!(claimed(&queue).is_none());
    assert_eq!(queue.task(&id).unwrap().state, State::Failed);
}

#[test]
fn a_line_cut_short_is_left_out_and_a_damaged_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "none");
    let id = Queue::open(&config).unwrap().add(plain("a")).unwrap();
    let path = config.data.join(FILE);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"task\":{{\"id\":\"ta")).unwrap();
    assert!(Queue::open(&config).unwrap().task(&id).is_some());
    fs::write(&path, format!("{whole}nonsense\n{whole}")).unwrap();
    let error = Queue::open(&config).err().expect("the second line is no task");
    assert!(error.to_string().starts_with("line 2 is not a task"), "{error}");
}

#[test]
fn with_the_file_unwritable_new_tasks_are_refused_and_nothing_is_lost() {
    for store in STORES {
        let folder = tempfile::tempdir().unwrap();
        let config = config(folder.path(), store);
        let queue = Queue::open(&config).unwrap();
        let kept = queue.add(plain("kept")).unwrap();
        let aside = obstruct(&config);
        for _ in 0..3 {
            let refused = queue.add(new("refused", Priority::Normal, Some("ISSUE-1")));
            assert!(matches!(refused, Err(NotQueued::Unwritable { .. })), "{store}");
        }
        assert!(!queue.is_writable());
        assert_eq!(queue.counts().tasks, 1);
        let claim = claimed(&queue).expect("what was accepted before still runs");
        queue.finish(&claim.id, Ok(outcome()));
        assert_eq!(queue.task(&kept).unwrap().state, State::Done);

        restore(&config, &aside);
        let later = queue.add(new("later", Priority::Normal, Some("ISSUE-1"))).unwrap();
        assert!(queue.is_writable());
        drop(queue);
        let queue = Queue::open(&config).unwrap();
        assert_eq!(
            queue.task(&kept).unwrap().state,
            State::Done,
            "{store}: what could not be written was caught up"
        );
        assert_eq!(queue.task(&later).unwrap().state, State::Queued);
    }
}

#[test]
fn as_found_with_the_file_unwritable_tasks_stay_active_and_are_never_run() {
    for store in ["queue.fails-open", "queue"] {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { queue_capacity: 5, ..config(folder.path(), store) };
        let queue = Queue::open(&config).unwrap();
        let aside = obstruct(&config);
        for _ in 0..20 {
            queue.add(plain("stuck")).unwrap();
            assert!(claimed(&queue).is_none(), "{store}");
        }
        restore(&config, &aside);
        assert!(claimed(&queue).is_none());
        let counts = queue.counts();
        assert_eq!((counts.active, counts.running, counts.tasks), (20, 0, 20), "{store}");
        queue.add(plain("later")).unwrap();
        assert_eq!(claimed(&queue).unwrap().prompt, "later\ntext");
    }
}

#[test]
fn a_file_that_was_replaced_or_cut_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "none");
    let queue = Queue::open(&config).unwrap();
    let path = config.data.join(FILE);
    let changes: [fn(&std::path::Path); 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, "").unwrap(),
        |path| {
            fs::write(path.with_extension("other"), "")
                .and_then(|()| fs::rename(path.with_extension("other"), path))
                .unwrap();
        },
    ];
    for (number, change) in changes.into_iter().enumerate() {
        change(&path);
        queue.add(plain("a")).unwrap();
        assert_eq!(record::read(&path, 10).unwrap().len(), number + 1);
    }
}

#[test]
fn the_log_stays_in_proportion_to_the_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { finished_tasks: 5, ..config(folder.path(), "none") };
    let queue = Queue::open(&config).unwrap();
    let mut most = 0;
    for _ in 0..1_000 {
        let id = queue.add(plain("a")).unwrap();
        claimed(&queue).unwrap();
        queue.finish(&id, Ok(outcome()));
        most =
            most.max(fs::read(config.data.join(FILE)).unwrap().iter().filter(|byte| **byte == b'\n').count());
    }
    assert!(most > fixed::Log::SLACK, "it is a log: {most} lines");
    assert!(most <= fixed::Log::SLACK + 20, "{most} lines for 5 tasks");
    assert_eq!(queue.counts().tasks, 5);
}

#[test]
fn only_the_last_finished_tasks_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { finished_tasks: 3, ..config(folder.path(), "none") };
    let queue = Queue::open(&config).unwrap();
    let ids: Vec<Id> = (0..5)
        .map(|_| {
            let id = queue.add(plain("a")).unwrap();
            claimed(&queue).unwrap();
            queue.finish(&id, Ok(outcome()));
            id
        })
        .collect();
    assert!(queue.task(&ids[1]).is_none());
    assert!(queue.task(&ids[2]).is_some());
    drop(queue);
    assert_eq!(Queue::open(&config).unwrap().counts().tasks, 3);
}

#[tokio::test]
async fn a_waiting_worker_is_woken_by_a_new_task_and_by_the_stop() {
    let folder = tempfile::tempdir().unwrap();
    let queue = std::sync::Arc::new(Queue::open(&config(folder.path(), "none")).unwrap());
    let worker = tokio::spawn({
        let queue = std::sync::Arc::clone(&queue);
        async move { (queue.next().await.is_some(), queue.next().await.is_none()) }
    });
    tokio::task::yield_now().await;
    queue.add(plain("a")).unwrap();
    tokio::task::yield_now().await;
    queue.stop();
    let answers = tokio::time::timeout(Duration::from_secs(5), worker).await.expect("it was woken").unwrap();
    assert_eq!(answers, (true, true));
    assert!(matches!(queue.add(plain("b")), Err(NotQueued::Stopping)));
}
