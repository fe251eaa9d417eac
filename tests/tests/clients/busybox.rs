//! `ftpget` and `ftpput` of `BusyBox`: the smallest clients, in cameras and routers. They ask for `EPSV` alone.

use mayfly_tests::ground::Ground;
use mayfly_tests::on_both_drivers;
use mayfly_tests::process::Ran;
use mayfly_tests::tree::{self, DATA_BYTES, Times};
use std::fs;

on_both_drivers! {
    puts_and_gets: passive ipv6;
    continues: passive ipv6;
    keeps_odd_names: passive ipv6;
    pipes: passive ipv6;
    tells_what_is_missing: passive ipv6;
}

fn busybox(ground: &Ground, applet: &str, flags: &[&str], rest: &[&str]) -> Ran {
    let [host, port] = ground.host_and_port();
    let mut all = vec![applet, "-P", &port];
    all.extend(flags);
    all.push(&host);
    all.extend(rest);
    ground.run("busybox", &all)
}

fn puts_and_gets(ground: &Ground) {
    tree::plant(&ground.home(), &["data.bin", "empty"]);
    fs::create_dir_all(ground.root().join("up/more")).unwrap();
    for name in ["data.bin", "empty"] {
        let _ = busybox(ground, "ftpput", &[], &[&format!("/up/more/{name}"), name]).succeeded();
    }
    tree::assert_same(&ground.home(), &ground.root().join("up/more"), Times::New);
    for name in ["data.bin", "empty"] {
        let _ = busybox(ground, "ftpget", &[], &[name, &format!("up/more/{name}")]).succeeded();
    }
    tree::assert_same(&ground.root().join("up/more"), &ground.home(), Times::New);
    assert_eq!(ground.wire_bytes("download", "/up/more/data.bin", 1), [DATA_BYTES as u64]);
}

fn continues(ground: &Ground) {
    tree::plant(ground.root(), &["data.bin"]);
    fs::write(ground.home().join("data.bin"), &tree::content("data.bin")[..2_000_000]).unwrap();
    let _ = busybox(ground, "ftpget", &["-c"], &["data.bin"]).succeeded();
    tree::assert_same(ground.root(), &ground.home(), Times::New);
    assert_eq!(ground.wire_bytes("download", "/data.bin", 1), [DATA_BYTES as u64 - 2_000_000]);
}

fn keeps_odd_names(ground: &Ground) {
    let names = &tree::ODD[..5];
    tree::plant(&ground.home(), names);
    for name in names {
        let _ = busybox(ground, "ftpput", &[], &[&format!("/{name}"), &format!("./{name}")]).succeeded();
        fs::remove_file(ground.home().join(name)).unwrap();
        let _ = busybox(ground, "ftpget", &[], &[&format!("./{name}"), &format!("/{name}")]).succeeded();
    }
    tree::assert_same(ground.root(), &ground.home(), Times::New);
    for name in names {
        assert_eq!(fs::read(ground.home().join(name)).unwrap(), tree::content(name), "{name}");
    }
}

/// A dash is standard input and output.
fn pipes(ground: &Ground) {
    let [host, port] = ground.host_and_port();
    let text = "line\n".repeat(10_000);
    let _ = ground.run_fed("busybox", &["ftpput", "-P", &port, &host, "/piped", "-"], &text).succeeded();
    assert_eq!(fs::read_to_string(ground.root().join("piped")).unwrap(), text);
    assert_eq!(busybox(ground, "ftpget", &[], &["-", "/piped"]).succeeded().stdout, text);
}

fn tells_what_is_missing(ground: &Ground) {
    tree::plant(&ground.home(), &["a.txt"]);
    let get = busybox(ground, "ftpget", &[], &["here", "/nothing"]);
    let put = busybox(ground, "ftpput", &[], &["/nowhere/a.txt", "a.txt"]);
    let stranger = busybox(ground, "ftpget", &["-u", "nobody", "-p", "wrong"], &["here", "/a.txt"]);
    for (ran, code) in [(get, "550"), (put, "553"), (stranger, "530")] {
        assert_eq!(ran.status.code(), Some(1), "{ran:?}");
        assert!(ran.stderr.contains(code), "{ran:?}");
    }
}
