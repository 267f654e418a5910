//! System calls that a function may not make. Runtimes need very many; what is refused is what administers a machine,
//! looks into other processes, or has been a way out of sandboxes.

use std::collections::BTreeMap;

#[cfg(target_arch = "x86_64")]
use seccompiler::sock_filter;
use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter, SeccompRule,
    apply_filter,
};

#[rustfmt::skip]
const REFUSED: &[i64] = &[
    libc::SYS_acct, libc::SYS_add_key, libc::SYS_adjtimex, libc::SYS_bpf, libc::SYS_chroot,
    libc::SYS_clock_adjtime, libc::SYS_clock_settime, libc::SYS_delete_module, libc::SYS_fanotify_init,
    libc::SYS_finit_module, libc::SYS_fsconfig, libc::SYS_fsmount, libc::SYS_fsopen, libc::SYS_fspick,
    libc::SYS_init_module, libc::SYS_io_uring_enter, libc::SYS_io_uring_register, libc::SYS_io_uring_setup,
    libc::SYS_kcmp, libc::SYS_kexec_file_load, libc::SYS_kexec_load, libc::SYS_keyctl,
    libc::SYS_lookup_dcookie, libc::SYS_mount, libc::SYS_mount_setattr, libc::SYS_move_mount,
    libc::SYS_name_to_handle_at, libc::SYS_open_by_handle_at, libc::SYS_open_tree,
    libc::SYS_perf_event_open, libc::SYS_pidfd_getfd, libc::SYS_pivot_root, libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev, libc::SYS_ptrace, libc::SYS_quotactl, libc::SYS_reboot,
    libc::SYS_request_key, libc::SYS_setdomainname, libc::SYS_sethostname, libc::SYS_setns,
    libc::SYS_settimeofday, libc::SYS_swapoff, libc::SYS_swapon, libc::SYS_syslog, libc::SYS_umount2,
    libc::SYS_unshare, libc::SYS_userfaultfd, libc::SYS_vhangup,
];

/// Flags of `clone` that make namespaces.
const NAMESPACES: [i32; 8] = [
    libc::CLONE_NEWCGROUP,
    libc::CLONE_NEWIPC,
    libc::CLONE_NEWNET,
    libc::CLONE_NEWNS,
    libc::CLONE_NEWPID,
    libc::CLONE_NEWUSER,
    libc::CLONE_NEWUTS,
    0x80,
];

/// Families of sockets that no namespace holds, or that look below connections.
const FAMILIES: [i32; 5] = [libc::AF_ALG, libc::AF_BLUETOOTH, libc::AF_PACKET, libc::AF_TIPC, libc::AF_VSOCK];

fn when(argument: u8, operator: SeccompCmpOp, value: u64) -> Result<SeccompRule, seccompiler::Error> {
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    Ok(SeccompRule::new(vec![condition])?)
}

fn program(rules: BTreeMap<i64, Vec<SeccompRule>>, errno: i32) -> Result<BpfProgram, seccompiler::Error> {
    let architecture = std::env::consts::ARCH.try_into()?;
    let refused = SeccompAction::Errno(errno.unsigned_abs());
    Ok(SeccompFilter::new(rules, SeccompAction::Allow, refused, architecture)?.try_into()?)
}

/// Refuses the calls of the x32 ABI: they are those of x86-64 and some more, by other numbers, which a list of numbers
/// would have to name again. The architecture does not tell them apart; other filters check it.
#[cfg(target_arch = "x86_64")]
fn without_x32() -> BpfProgram {
    /// `__X32_SYSCALL_BIT`.
    const BIT: u32 = 0x4000_0000;
    let step =
        |code: u32, jt, jf, k| sock_filter { code: u16::try_from(code).unwrap_or(u16::MAX), jt, jf, k };
    vec![
        // The number stands first in `struct seccomp_data`.
        step(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        step(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, BIT),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ERRNO | libc::EPERM.unsigned_abs()),
        step(libc::BPF_RET | libc::BPF_K, 0, 0, libc::SECCOMP_RET_ALLOW),
    ]
}

/// Loads the filters, for this process and all that it starts.
pub(super) fn load() -> Result<(), seccompiler::Error> {
    #[cfg(target_arch = "x86_64")]
    apply_filter(&without_x32())?;
    let mut rules: BTreeMap<i64, Vec<SeccompRule>> =
        REFUSED.iter().map(|number| (*number, Vec::new())).collect();
    let clone = NAMESPACES.iter().map(|flag| {
        let flag = u64::from(flag.unsigned_abs());
        when(0, SeccompCmpOp::MaskedEq(flag), flag)
    });
    rules.insert(libc::SYS_clone, clone.collect::<Result<_, _>>()?);
    let socket = FAMILIES.iter().map(|family| when(0, SeccompCmpOp::Eq, u64::from(family.unsigned_abs())));
    rules.insert(libc::SYS_socket, socket.collect::<Result<_, _>>()?);
    // Its flags are behind a pointer, where no filter sees them; libraries fall back to `clone`.
    let clone3 = program(BTreeMap::from([(libc::SYS_clone3, Vec::new())]), libc::ENOSYS)?;
    apply_filter(&clone3)?;
    apply_filter(&program(rules, libc::EPERM)?)
}

#[cfg(test)]
mod tests {
    /// Errors of system calls by number in a process under the filters, made by Python on a thread's behalf.
    #[cfg(target_arch = "x86_64")]
    fn errors(numbers: &[i64]) -> Vec<i32> {
        let numbers = format!("{numbers:?}");
        let program = "import ctypes, sys
call = ctypes.CDLL(None, use_errno=True).syscall
for number in eval(sys.argv[1]):
    ctypes.set_errno(0)
    call(ctypes.c_long(number), 0, 0, 0, 0, 0, 0)
    print(ctypes.get_errno())";
        let thread = std::thread::spawn(move || {
            super::load().unwrap();
            std::process::Command::new("python3").args(["-c", program, &numbers]).output().unwrap()
        });
        let output = thread.join().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn a_call_is_refused_by_whatever_number() {
        const X32: i64 = 0x4000_0000;
        // `ptrace` and `process_vm_readv` have other numbers in x32.
        let refused =
            [libc::SYS_ptrace, libc::SYS_unshare, X32 | libc::SYS_unshare, X32 | 521, X32 | 539, X32 | 39];
        assert_eq!(errors(&refused), [libc::EPERM; 6]);
        assert_eq!(errors(&[libc::SYS_getpid, libc::SYS_clone3]), [0, libc::ENOSYS]);
    }
}
