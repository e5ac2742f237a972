//! kill -9 of the program amid appends: of one that is alone, and of one of two on the same database.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use domain::envelope::Position;
use rand::Rng;
use sqlx::ConnectOptions;
use sqlx::postgres::PgConnectOptions;
use tests::database::TestDatabase;
use tests::seed::{random, remark, seed};
use tests::writer::Writer;

use super::invariants::{Attempt, Fate, assert_hold};
use super::{TENANT, open_logs};

/// Writers in each program.
const WRITERS: u32 = 6;
/// How often a program is killed.
const ROUNDS: u32 = 12;
/// Longest life after its first answer.
const LIFE: Duration = Duration::from_millis(150);
const PATIENCE: Duration = Duration::from_secs(60);

/// A program that appends, over its lives.
struct Program {
    options: PgConnectOptions,
    seed: u64,
    /// Its writers, with what each was told in its turns so far.
    told: BTreeMap<u32, Vec<Fate>>,
    life: Option<Life>,
}

struct Life {
    child: Child,
    lines: Receiver<String>,
}

impl Program {
    fn new(options: &PgConnectOptions, seed: u64, first_writer: u32) -> Self {
        Self {
            options: options.clone(),
            seed,
            told: (first_writer..first_writer + WRITERS)
                .map(|writer| (writer, Vec::new()))
                .collect(),
            life: None,
        }
    }

    /// Starts it; each writer goes on with the turn that it has no answer for.
    fn start(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_appending"))
            .arg(self.seed.to_string())
            .arg(TENANT.to_string())
            .args(
                self.told
                    .iter()
                    .map(|(writer, told)| format!("{writer}:{}", told.len())),
            )
            .env("HIBACHI_TEST_DATABASE", self.options.to_url_lossy().as_str())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program can be run");
        let out = child.stdout.take().expect("its output was asked for");
        let (send, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        self.life = Some(Life { child, lines });
    }

    /// Waits for one more answer.
    fn hear(&mut self) {
        let life = self.life.as_ref().expect("it runs");
        let line = life.lines.recv_timeout(PATIENCE).expect("it goes on");
        self.note(&line);
    }

    /// What it has been told since it was last heard.
    fn hear_all(&mut self) {
        let life = self.life.as_ref().expect("it runs");
        for line in life.lines.try_iter().collect::<Vec<_>>() {
            self.note(&line);
        }
    }

    fn note(&mut self, line: &str) {
        let words: Vec<&str> = line.split(' ').collect();
        let position = |word: &str| Position(word.parse().expect("a position is a number"));
        let (writer, turn, fate) = match words[..] {
            [writer, turn, "refused"] => (writer, turn, Fate::Refused),
            [writer, turn, "at", first, last] => {
                let (first, last) = (position(first), position(last));
                (writer, turn, Fate::Acknowledged { first, last })
            }
            _ => panic!("not an answer: {line}"),
        };
        let writer: u32 = writer.parse().expect("a writer is a number");
        let told = self
            .told
            .get_mut(&writer)
            .expect("it is a writer of this program");
        assert_eq!(
            turn.parse(),
            Ok(told.len()),
            "writer {writer} does one thing after another"
        );
        told.push(fate);
    }

    fn answered(&self) -> usize {
        self.told.values().map(Vec::len).sum()
    }

    /// Ends it at once. What it had printed by then is heard.
    fn kill(&mut self) {
        let mut life = self.life.take().expect("it runs");
        assert_eq!(
            life.child.try_wait().expect("it is our child"),
            None,
            "it ended by itself"
        );
        life.child.kill().expect("it is our child");
        life.child.wait().expect("it is our child");
        let lines: Vec<String> = life.lines.iter().collect();
        for line in lines {
            self.note(&line);
        }
    }

    /// All that was asked for, the last turn of each writer without an answer.
    fn attempts(&self) -> Vec<Attempt> {
        let of = |(number, told): (&u32, &Vec<Fate>)| {
            let writer = Writer {
                seed: self.seed,
                number: *number,
                tenant: TENANT,
            };
            let fates = told.iter().copied().chain([Fate::Unknown]);
            (0..)
                .zip(fates)
                .map(|(turn, fate)| Attempt {
                    append: writer.append(turn),
                    fate,
                })
                .collect::<Vec<_>>()
        };
        self.told.iter().flat_map(of).collect()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        if let Some(life) = &mut self.life {
            drop(life.child.kill());
            drop(life.child.wait());
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_of_a_program_that_appends_loses_nothing_that_it_acknowledged() {
    let seed = seed();
    let mut random = random(seed, 0);
    let test = TestDatabase::new().await;
    open_logs(test.superuser_options()).await;
    let mut program = Program::new(&test.superuser_options(), seed, 0);
    for _ in 0..ROUNDS {
        program.start();
        // It may be that it is killed before it has answered once.
        if random.random_bool(0.9) {
            program.hear();
        }
        thread::sleep(random.random_range(Duration::ZERO..LIFE));
        program.kill();
    }
    program.start();
    let before = program.answered();
    while program.answered() < before + 50 {
        program.hear();
    }
    program.kill();
    remark(format_args!(
        "{} lives, {} answers",
        ROUNDS + 1,
        program.answered()
    ));
    assert_hold(test.superuser_options(), program.attempts()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_programs_one_goes_on_while_the_other_is_killed() {
    let seed = seed();
    let mut random = random(seed, 0);
    let test = TestDatabase::new().await;
    open_logs(test.superuser_options()).await;
    let options = test.superuser_options();
    let mut programs = [Program::new(&options, seed, 0), Program::new(&options, seed, 100)];
    let mut longest = Duration::ZERO;
    for program in &mut programs {
        program.start();
        program.hear();
    }
    for _ in 0..ROUNDS {
        let killed = random.random_range(0..2);
        thread::sleep(random.random_range(Duration::ZERO..LIFE));
        programs[killed].kill();
        let survivor = &mut programs[1 - killed];
        survivor.hear_all();
        let before = Instant::now();
        for _ in 0..20 {
            survivor.hear();
        }
        longest = longest.max(before.elapsed());
        programs[killed].start();
        programs[killed].hear();
    }
    for program in &mut programs {
        program.kill();
    }
    let answers: usize = programs.iter().map(Program::answered).sum();
    remark(format_args!(
        "{ROUNDS} kills, {answers} answers; the other's next 20 answers took {} ms at most",
        longest.as_millis()
    ));
    let attempts = programs.iter().flat_map(Program::attempts).collect();
    assert_hold(options, attempts).await;
}
