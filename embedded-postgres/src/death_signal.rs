//! A child that does not outlive its launcher, however the launcher ends.
//!
//! Linux can send a child a signal when the *thread* that started it ends. The request is
//! forgotten at `setuid`, so it is made between fork and exec after the standard library has
//! changed user (it runs `pre_exec` closures last), and the thread has to live as long as the
//! child (`launch.rs`). The signal is SIGINT, Postgres's fast shutdown: the machine is well,
//! only the launcher is gone, so sessions are ended and a checkpoint is written, and the next
//! start needs no recovery. SIGQUIT would leave every start after a kill -9 to recover.
//!
//! macOS has nothing of the kind: there a server outlives a launcher that was killed, and the
//! next start adopts it.

use std::process::Command;

#[cfg(target_os = "linux")]
pub(crate) fn arm(command: &mut Command) {
    use nix::errno::Errno;
    use nix::sys::prctl::set_pdeathsig;
    use nix::sys::signal::Signal;
    use nix::unistd::{getpid, getppid};
    use std::os::unix::process::CommandExt;

    let launcher = getpid();
    #[expect(
        unsafe_code,
        reason = "pre_exec is unsafe: the closure may only call what is safe after fork. It calls \
                  prctl and getppid, plain system calls that neither allocate nor lock"
    )]
    // SAFETY: see the reason above; the closure captures one integer.
    unsafe {
        command.pre_exec(move || {
            set_pdeathsig(Signal::SIGINT)?;
            // A launcher that ended before the request was made will send nothing.
            if getppid() == launcher {
                Ok(())
            } else {
                Err(Errno::ESRCH.into())
            }
        });
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn arm(_: &mut Command) {}
