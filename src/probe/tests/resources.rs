//! What a process holds beside its heap is seen as it comes and goes.

fn value(name: &str) -> u64 {
    heapsoak_probe::resources()
        .into_iter()
        .find(|resource| resource.name == name)
        .map_or(0, |resource| resource.value)
}

// One test in a process of its own: it is about the process, and others would disturb it.
#[test]
fn descriptors_threads_children_and_zombies_are_seen_as_they_come_and_go() {
    let (files, pipes) = (value("fds.file"), value("fds.pipe"));
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    let pipe = std::io::pipe().unwrap();
    assert_eq!((value("fds.file"), value("fds.pipe")), (files + 1, pipes + 2));
    drop((file, pipe));
    assert_eq!((value("fds.file"), value("fds.pipe")), (files, pipes));

    let threads = value("threads");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let thread = std::thread::spawn(move || stopped.recv());
    assert_eq!(value("threads"), threads + 1);
    drop(stop);
    let _ = thread.join().unwrap();

    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    assert_eq!((value("children"), value("zombies")), (1, 0));
    child.kill().unwrap();
    let zombie = (0..500).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(2));
        value("zombies") == 1
    });
    assert!(zombie, "a killed child is a zombie until it is waited for");
    child.wait().unwrap();
    assert_eq!((value("children"), value("zombies")), (0, 0));
    assert!(value("rss") > 1 << 20);
}
