//! MD5 of many bodies at once. One stream of MD5 is a single chain of additions that leaves most of a core idle;
//! segments of bodies that arrive together are hashed side by side, which takes half the processor time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, Thread};

use bytes::Bytes;
use md5::block_api::compress;

const BLOCK: usize = 64;
/// Bodies that are hashed side by side: one vector register of the oldest processors that are supported.
const LANES: usize = 4;
/// Bytes from which waiting for company pays.
const WORTHWHILE: usize = 64 << 10;

/// RFC 1321, section 3.3.
const START: [u32; 4] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476];
/// RFC 1321, section 3.4: the integer part of 4294967296 times abs(sin(i)).
const K: [u32; 64] = [
    0xd76a_a478,
    0xe8c7_b756,
    0x2420_70db,
    0xc1bd_ceee,
    0xf57c_0faf,
    0x4787_c62a,
    0xa830_4613,
    0xfd46_9501,
    0x6980_98d8,
    0x8b44_f7af,
    0xffff_5bb1,
    0x895c_d7be,
    0x6b90_1122,
    0xfd98_7193,
    0xa679_438e,
    0x49b4_0821,
    0xf61e_2562,
    0xc040_b340,
    0x265e_5a51,
    0xe9b6_c7aa,
    0xd62f_105d,
    0x0244_1453,
    0xd8a1_e681,
    0xe7d3_fbc8,
    0x21e1_cde6,
    0xc337_07d6,
    0xf4d5_0d87,
    0x455a_14ed,
    0xa9e3_e905,
    0xfcef_a3f8,
    0x676f_02d9,
    0x8d2a_4c8a,
    0xfffa_3942,
    0x8771_f681,
    0x6d9d_6122,
    0xfde5_380c,
    0xa4be_ea44,
    0x4bde_cfa9,
    0xf6bb_4b60,
    0xbebf_bc70,
    0x289b_7ec6,
    0xeaa1_27fa,
    0xd4ef_3085,
    0x0488_1d05,
    0xd9d4_d039,
    0xe6db_99e5,
    0x1fa2_7cf8,
    0xc4ac_5665,
    0xf429_2244,
    0x432a_ff97,
    0xab94_23a7,
    0xfc93_a039,
    0x655b_59c3,
    0x8f0c_cc92,
    0xffef_f47d,
    0x8584_5dd1,
    0x6fa8_7e4f,
    0xfe2c_e6e0,
    0xa301_4314,
    0x4e08_11a1,
    0xf753_7e82,
    0xbd3a_f235,
    0x2ad7_d2bb,
    0xeb86_d391,
];

/// MD5 of bytes as they come.
#[derive(Debug)]
pub(super) struct Md5 {
    state: [u32; 4],
    length: u64,
    /// Less than a block that waits for the rest of it.
    tail: Vec<u8>,
}

impl Md5 {
    pub(super) fn new() -> Self {
        Self { state: START, length: 0, tail: Vec::new() }
    }

    /// Takes the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.length = self.length.wrapping_add(bytes.len() as u64);
        self.absorb(bytes);
    }

    /// Takes the next bytes, beside those of others that call at the same time. Blocks while they are hashed.
    pub(super) fn update_beside_others(&mut self, bytes: &Bytes) {
        if !self.tail.is_empty() || bytes.len() < WORTHWHILE {
            return self.update(bytes);
        }
        self.length = self.length.wrapping_add(bytes.len() as u64);
        let whole = bytes.len() - bytes.len() % BLOCK;
        self.state = Engine::one().hash(self.state, bytes.slice(..whole));
        self.tail.extend_from_slice(bytes.get(whole..).unwrap_or_default());
    }

    fn absorb(&mut self, mut bytes: &[u8]) {
        if !self.tail.is_empty() {
            let (first, rest) = bytes.split_at(bytes.len().min(BLOCK - self.tail.len()));
            self.tail.extend_from_slice(first);
            bytes = rest;
            if self.tail.len() == BLOCK {
                compress(&mut self.state, self.tail.as_chunks().0);
                self.tail.clear();
            }
        }
        let (blocks, rest) = bytes.as_chunks();
        compress(&mut self.state, blocks);
        self.tail.extend_from_slice(rest);
    }

    /// The digest of all that came.
    pub(super) fn finalize(mut self) -> [u8; 16] {
        let length = self.length.wrapping_mul(8).to_le_bytes();
        let zeros = (BLOCK * 2 - 9 - self.tail.len()) % BLOCK;
        let padding = [&[0x80], &[0; BLOCK][..zeros], &length].concat();
        self.absorb(&padding);
        let mut digest = [0; 16];
        for (to, word) in digest.as_chunks_mut().0.iter_mut().zip(self.state) {
            *to = word.to_le_bytes();
        }
        digest
    }
}

/// Whole blocks that wait for their turn.
struct Job {
    state: [u32; 4],
    blocks: Bytes,
    answer: Arc<Answer>,
}

/// What the thread that waits for a job looks at each time it is woken.
#[derive(Default)]
struct Answer {
    done: OnceLock<[u32; 4]>,
    /// The engine is this thread's now, and its job the first in the queue.
    leads: AtomicBool,
}

/// Hashes what waits for it, on the thread of one of those that wait, as many jobs at a time as there are lanes.
#[derive(Default)]
struct Engine(Mutex<Queue>);

#[derive(Default)]
struct Queue {
    waiting: VecDeque<(Job, Thread)>,
    led: bool,
}

/// One for two processors: fewer would be the limit of large machines, more would find less to put together.
static ENGINES: LazyLock<Vec<Engine>> = LazyLock::new(|| {
    let processors = thread::available_parallelism().map_or(1, usize::from);
    (0..processors.div_ceil(2)).map(|_| Engine::default()).collect()
});

impl Engine {
    fn one() -> &'static Self {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        &ENGINES[NEXT.fetch_add(1, Ordering::Relaxed) % ENGINES.len()]
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, state: [u32; 4], blocks: Bytes) -> [u32; 4] {
        let answer = Arc::<Answer>::default();
        let job = Job { state, blocks, answer: Arc::clone(&answer) };
        let mut queue = self.queue();
        queue.waiting.push_back((job, thread::current()));
        let mut leads = !std::mem::replace(&mut queue.led, true);
        drop(queue);
        loop {
            if leads {
                self.lead();
            }
            if let Some(state) = answer.done.get() {
                return *state;
            }
            thread::park();
            leads = answer.leads.swap(false, Ordering::Acquire);
        }
    }

    /// Hashes the first jobs of the queue, and leaves the engine to the next one.
    fn lead(&self) {
        let (jobs, threads): (Vec<_>, Vec<_>) = {
            let mut queue = self.queue();
            let count = queue.waiting.len().min(LANES);
            queue.waiting.drain(..count).unzip()
        };
        run(jobs);
        let mut queue = self.queue();
        if let Some((job, thread)) = queue.waiting.front() {
            job.answer.leads.store(true, Ordering::Release);
            thread.unpark();
        } else {
            queue.led = false;
        }
        drop(queue);
        let own = thread::current().id();
        threads.iter().filter(|thread| thread.id() != own).for_each(Thread::unpark);
    }
}

/// Hashes jobs, as far as they are equally long side by side.
fn run(mut jobs: Vec<Job>) {
    let mut at = 0;
    if jobs.len() > 1 {
        let of = |lane: usize| jobs.get(lane).or(jobs.first());
        let data = std::array::from_fn(|lane| of(lane).map_or(&[][..], |job| job.blocks.as_chunks().0));
        let states = std::array::from_fn(|lane| of(lane).map_or(START, |job| job.state));
        at = data.iter().map(|blocks: &&[[u8; BLOCK]]| blocks.len()).min().unwrap_or(0);
        let states = side_by_side(states, data.map(|blocks| blocks.get(..at).unwrap_or_default()));
        for (job, state) in jobs.iter_mut().zip(states) {
            job.state = state;
        }
    }
    for mut job in jobs {
        compress(&mut job.state, job.blocks.as_chunks().0.get(at..).unwrap_or_default());
        // It is set once, here.
        job.answer.done.get_or_init(|| job.state);
    }
}

/// One word of each lane.
type Words = [u32; LANES];

/// RFC 1321, section 3.4, on equally many blocks of each lane. The compiler makes vector instructions of it.
fn side_by_side(states: [[u32; 4]; LANES], data: [&[[u8; BLOCK]]; LANES]) -> [[u32; 4]; LANES] {
    let mut state: [Words; 4] = std::array::from_fn(|word| states.map(|state| state[word]));
    let blocks = data.iter().map(|blocks| blocks.len()).min().unwrap_or(0);
    for block in 0..blocks {
        let mut m = [[0; LANES]; 16];
        for (lane, blocks) in data.iter().enumerate() {
            for (word, bytes) in m.iter_mut().zip(blocks[block].as_chunks().0) {
                word[lane] = u32::from_le_bytes(*bytes);
            }
        }
        let before = state;
        round(&mut state, &m, &K[..16], (0, 1), [7, 12, 17, 22], |x, y, z| (x & y) | (!x & z));
        round(&mut state, &m, &K[16..32], (1, 5), [5, 9, 14, 20], |x, y, z| (x & z) | (y & !z));
        round(&mut state, &m, &K[32..48], (5, 3), [4, 11, 16, 23], |x, y, z| x ^ y ^ z);
        round(&mut state, &m, &K[48..], (0, 7), [6, 10, 15, 21], |x, y, z| y ^ (x | !z));
        for (now, before) in state.iter_mut().zip(before) {
            *now = std::array::from_fn(|lane| now[lane].wrapping_add(before[lane]));
        }
    }
    std::array::from_fn(|lane| state.map(|words| words[lane]))
}

#[inline(always)]
fn round(
    state: &mut [Words; 4],
    m: &[Words; 16],
    k: &[u32],
    (first, stride): (usize, usize),
    shifts: [u32; 4],
    f: impl Fn(u32, u32, u32) -> u32 + Copy,
) {
    let [mut a, mut b, mut c, mut d] = *state;
    for i in (0..16).step_by(4) {
        let word = |j: usize| (&m[(first + stride * (i + j)) % 16], k[i + j], shifts[j]);
        a = step([&a, &b, &c, &d], word(0), f);
        d = step([&d, &a, &b, &c], word(1), f);
        c = step([&c, &d, &a, &b], word(2), f);
        b = step([&b, &c, &d, &a], word(3), f);
    }
    *state = [a, b, c, d];
}

#[inline(always)]
fn step(
    [a, b, c, d]: [&Words; 4],
    (m, k, shift): (&Words, u32, u32),
    f: impl Fn(u32, u32, u32) -> u32,
) -> Words {
    std::array::from_fn(|lane| {
        let sum = a[lane].wrapping_add(f(b[lane], c[lane], d[lane])).wrapping_add(m[lane]).wrapping_add(k);
        sum.rotate_left(shift).wrapping_add(b[lane])
    })
}

#[cfg(test)]
mod tests {
    use md5::Digest;
    use proptest::prelude::*;

    use super::*;

    fn bytes(length: usize, seed: u32) -> Bytes {
        (0..u32::MAX).take(length).map(|i| (i.wrapping_mul(2_654_435_761) ^ seed).to_le_bytes()[3]).collect()
    }

    proptest! {
        #[test]
        fn any_split_has_the_digest_of_the_whole(length in 0_usize..400, cuts in prop::collection::vec(0_usize..400, 0..4)) {
            let all = bytes(length, 1);
            let mut md5 = Md5::new();
            let mut at = 0;
            for cut in cuts {
                let end = cut.clamp(at, length);
                md5.update(&all[at..end]);
                at = end;
            }
            md5.update(&all[at..]);
            prop_assert_eq!(md5.finalize(), <[u8; 16]>::from(md5::Md5::digest(&all)));
        }
    }

    #[test]
    fn bodies_of_many_threads_have_their_own_digests() {
        thread::scope(|scope| {
            for thread in 0..9_u32 {
                scope.spawn(move || {
                    let mut md5 = Md5::new();
                    let mut whole = md5::Md5::new();
                    for round in 0..8 {
                        let part = bytes(
                            WORTHWHILE + 64 * (thread as usize) * usize::from(round == 7),
                            thread ^ round,
                        );
                        md5.update_beside_others(&part);
                        whole.update(&part);
                    }
                    let odd = bytes(WORTHWHILE + 3, thread);
                    for _ in 0..2 {
                        md5.update_beside_others(&odd);
                        whole.update(&odd);
                    }
                    assert_eq!(md5.finalize(), <[u8; 16]>::from(whole.finalize()), "{thread}");
                });
            }
        });
    }

    #[test]
    fn lanes_of_unequal_length_are_right() {
        for count in 1..=LANES {
            let jobs: Vec<_> = (0..).take(count).map(|i| bytes(BLOCK * (count * 3 + i), 7)).collect();
            let done: Vec<_> = jobs.iter().map(|_| Arc::<Answer>::default()).collect();
            let job = |(blocks, answer): (&Bytes, &Arc<Answer>)| Job {
                state: START,
                blocks: blocks.clone(),
                answer: Arc::clone(answer),
            };
            run(jobs.iter().zip(&done).map(job).collect());
            for (blocks, done) in jobs.iter().zip(done) {
                let mut state = START;
                compress(&mut state, blocks.as_chunks().0);
                assert_eq!(done.done.get(), Some(&state));
            }
        }
    }
}
