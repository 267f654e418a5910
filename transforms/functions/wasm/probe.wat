;; A core module of the world refract:transform that the tests and the benches make a component of. The first letter of
;; the object's key says what it does:
;;   u  upper case, by small blocking writes          c  a copy, by large reads and writes
;;   h  the payload, with another head                f  a refusal
;;   t  a trap                                        x  a trap after a part of the output
;;   l  a loop without end                            m  all the memory there is
;;   w  output without end
(module
  (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (param i32 i64 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
    (func $blocking-write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (param i32 i32 i32 i32)))
  (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-flush" (func $flush (param i32 i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]input-stream" (func $drop-input (param i32)))
  (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop-output (param i32)))
  (import "refract:transform/head@0.1.0" "set-content-type" (func $set-type (param i32 i32 i32)))
  (import "refract:transform/head@0.1.0" "set-content-encoding" (func $set-coding (param i32 i32 i32 i32)))
  (import "refract:transform/head@0.1.0" "set-metadata" (func $set-metadata (param i32 i32 i32)))

  ;; 0: results of imports; 64: this function's result; 256: text; 1024: a list of one pair.
  (memory (export "memory") 4)
  (data (i32.const 256) "text/x-probe")
  (data (i32.const 288) "Teapot")
  (data (i32.const 304) "short and stout")
  (data (i32.const 320) "made-by")
  (data (i32.const 336) "probe")
  (data (i32.const 1024) "\40\01\00\00\07\00\00\00\50\01\00\00\05\00\00\00")
  (global $heap (mut i32) (i32.const 2048))

  (func $realloc (export "cabi_realloc") (param $old i32) (param $size i32) (param $align i32) (param $new i32)
    (result i32)
    (local $at i32)
    (local.set $at
      (i32.and
        (i32.add (global.get $heap) (i32.sub (local.get $align) (i32.const 1)))
        (i32.xor (i32.sub (local.get $align) (i32.const 1)) (i32.const -1))))
    (global.set $heap (i32.add (local.get $at) (local.get $new)))
    (if (i32.gt_u (global.get $heap) (i32.shl (memory.size) (i32.const 16)))
      (then (if (i32.eq (memory.grow (i32.const 16)) (i32.const -1)) (then unreachable))))
    (local.get $at))

  ;; Reads up to $most bytes to where $heap is; 0 at the end.
  (func $fill (param $input i32) (param $most i64) (result i32)
    (call $read (local.get $input) (local.get $most) (i32.const 0))
    (if (result i32) (i32.load8_u (i32.const 0))
      (then (i32.const 0))
      (else (i32.load (i32.const 8)))))

  (func $put (param $output i32) (param $at i32) (param $size i32)
    (call $blocking-write (local.get $output) (local.get $at) (local.get $size) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then unreachable)))

  (func $upper (param $input i32) (param $output i32)
    (local $mark i32) (local $size i32) (local $at i32) (local $end i32) (local $c i32)
    (local.set $mark (global.get $heap))
    (block $done
      (loop $more
        (global.set $heap (local.get $mark))
        (br_if $done (i32.eqz (local.tee $size (call $fill (local.get $input) (i64.const 4096)))))
        (local.set $at (i32.load (i32.const 4)))
        (local.set $end (i32.add (local.get $at) (local.get $size)))
        (loop $letter
          (local.set $c (i32.load8_u (local.get $at)))
          (if (i32.lt_u (i32.sub (local.get $c) (i32.const 97)) (i32.const 26))
            (then (i32.store8 (local.get $at) (i32.sub (local.get $c) (i32.const 32)))))
          (local.set $at (i32.add (local.get $at) (i32.const 1)))
          (br_if $letter (i32.lt_u (local.get $at) (local.get $end))))
        (call $put (local.get $output) (i32.load (i32.const 4)) (local.get $size))
        (br $more))))

  (func $copy (param $input i32) (param $output i32)
    (local $mark i32) (local $size i32) (local $at i32) (local $room i32)
    (local.set $mark (global.get $heap))
    (block $done
      (loop $more
        (global.set $heap (local.get $mark))
        (br_if $done (i32.eqz (local.tee $size (call $fill (local.get $input) (i64.const 131072)))))
        (local.set $at (i32.load (i32.const 4)))
        (loop $rest
          (call $check (local.get $output) (i32.const 0))
          (if (i32.load8_u (i32.const 0)) (then unreachable))
          (local.set $room (i32.wrap_i64 (i64.load (i32.const 8))))
          (if (i32.eqz (local.get $room))
            (then
              (call $flush (local.get $output) (i32.const 0))
              (br $rest)))
          (if (i32.gt_u (local.get $room) (local.get $size)) (then (local.set $room (local.get $size))))
          (call $write (local.get $output) (local.get $at) (local.get $room) (i32.const 0))
          (local.set $at (i32.add (local.get $at) (local.get $room)))
          (local.set $size (i32.sub (local.get $size) (local.get $room)))
          (br_if $rest (local.get $size)))
        (br $more))))

  (func $head (param $arguments i32) (param $output i32)
    (call $set-type (i32.const 256) (i32.const 12) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then unreachable))
    (call $set-coding (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then unreachable))
    (call $set-metadata (i32.const 1024) (i32.const 1) (i32.const 0))
    (if (i32.load8_u (i32.const 0)) (then unreachable))
    (call $put (local.get $output) (i32.load offset=140 (local.get $arguments))
      (i32.load offset=144 (local.get $arguments)))
    ;; Too late: the first byte is written.
    (call $set-type (i32.const 256) (i32.const 12) (i32.const 0))
    (if (i32.eqz (i32.load8_u (i32.const 0))) (then unreachable)))

  (func $pages (param $output i32) (param $count i32)
    (loop $more
      (call $put (local.get $output) (i32.const 4096) (i32.const 4096))
      (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))

  ;; Its arguments do not fit into parameters: the context is at 0 of $arguments, the streams after it.
  (func (export "transform") (param $arguments i32) (result i32)
    (local $input i32) (local $output i32) (local $what i32)
    (local.set $input (i32.load offset=160 (local.get $arguments)))
    (local.set $output (i32.load offset=164 (local.get $arguments)))
    (local.set $what (i32.load8_u (i32.load offset=8 (local.get $arguments))))
    (if (i32.eq (local.get $what) (i32.const 117)) (then (call $upper (local.get $input) (local.get $output))))
    (if (i32.eq (local.get $what) (i32.const 99)) (then (call $copy (local.get $input) (local.get $output))))
    (if (i32.eq (local.get $what) (i32.const 104)) (then (call $head (local.get $arguments) (local.get $output))))
    (if (i32.eq (local.get $what) (i32.const 116)) (then unreachable))
    (if (i32.eq (local.get $what) (i32.const 120))
      (then (call $pages (local.get $output) (i32.const 512)) (unreachable)))
    (if (i32.eq (local.get $what) (i32.const 108)) (then (loop $forever (br $forever))))
    (if (i32.eq (local.get $what) (i32.const 119)) (then (call $pages (local.get $output) (i32.const 0))))
    (if (i32.eq (local.get $what) (i32.const 109))
      (then
        (loop $more (br_if $more (i32.ne (memory.grow (i32.const 16)) (i32.const -1))))
        (unreachable)))
    (call $drop-input (local.get $input))
    (call $drop-output (local.get $output))
    (i32.store8 (i32.const 64) (i32.const 0))
    (if (i32.eq (local.get $what) (i32.const 102))
      (then
        (i32.store8 (i32.const 64) (i32.const 1))
        (i32.store16 (i32.const 68) (i32.const 418))
        (i32.store (i32.const 72) (i32.const 288))
        (i32.store (i32.const 76) (i32.const 6))
        (i32.store (i32.const 80) (i32.const 304))
        (i32.store (i32.const 84) (i32.const 15))))
    (i32.const 64)))
