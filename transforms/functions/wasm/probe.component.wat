(component
  (type $ty-refract:transform/head@0.1.0 (;0;)
    (instance
      (type (;0;) (result (error string)))
      (type (;1;) (func (param "value" string) (result 0)))
      (export (;0;) "set-content-type" (func (type 1)))
      (type (;2;) (option string))
      (type (;3;) (func (param "value" 2) (result 0)))
      (export (;1;) "set-content-encoding" (func (type 3)))
      (type (;4;) (tuple string string))
      (type (;5;) (list 4))
      (type (;6;) (func (param "entries" 5) (result 0)))
      (export (;2;) "set-metadata" (func (type 6)))
    )
  )
  (import "refract:transform/head@0.1.0" (instance $refract:transform/head@0.1.0 (;0;) (type $ty-refract:transform/head@0.1.0)))
  (type $ty-wasi:io/error@0.2.0 (;1;)
    (instance
      (export (;0;) "error" (type (sub resource)))
    )
  )
  (import "wasi:io/error@0.2.0" (instance $wasi:io/error@0.2.0 (;1;) (type $ty-wasi:io/error@0.2.0)))
  (alias export $wasi:io/error@0.2.0 "error" (type $error (;2;)))
  (type $ty-wasi:io/streams@0.2.0 (;3;)
    (instance
      (export (;0;) "input-stream" (type (sub resource)))
      (export (;1;) "output-stream" (type (sub resource)))
      (alias outer 1 $error (type (;2;)))
      (export (;3;) "error" (type (eq 2)))
      (type (;4;) (own 3))
      (type (;5;) (variant (case "last-operation-failed" 4) (case "closed")))
      (export (;6;) "stream-error" (type (eq 5)))
      (type (;7;) (borrow 0))
      (type (;8;) (list u8))
      (type (;9;) (result 8 (error 6)))
      (type (;10;) (func (param "self" 7) (param "len" u64) (result 9)))
      (export (;0;) "[method]input-stream.blocking-read" (func (type 10)))
      (type (;11;) (borrow 1))
      (type (;12;) (result u64 (error 6)))
      (type (;13;) (func (param "self" 11) (result 12)))
      (export (;1;) "[method]output-stream.check-write" (func (type 13)))
      (type (;14;) (result (error 6)))
      (type (;15;) (func (param "self" 11) (param "contents" 8) (result 14)))
      (export (;2;) "[method]output-stream.write" (func (type 15)))
      (export (;3;) "[method]output-stream.blocking-write-and-flush" (func (type 15)))
      (type (;16;) (func (param "self" 11) (result 14)))
      (export (;4;) "[method]output-stream.blocking-flush" (func (type 16)))
    )
  )
  (import "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0 (;2;) (type $ty-wasi:io/streams@0.2.0)))
  (type $ty-refract:transform/types@0.1.0 (;4;)
    (instance
      (type (;0;) (option u64))
      (type (;1;) (option string))
      (type (;2;) (tuple string string))
      (type (;3;) (list 2))
      (type (;4;) (record (field "bucket" string) (field "key" string) (field "size" 0) (field "etag" 1) (field "last-modified" 1) (field "content-type" 1) (field "content-encoding" 1) (field "metadata" 3) (field "tags" 3)))
      (export (;5;) "object" (type (eq 4)))
      (type (;6;) (record (field "kind" string) (field "arn" string) (field "principal-id" string) (field "account-id" string) (field "user-name" 1)))
      (export (;7;) "caller" (type (eq 6)))
      (type (;8;) (record (field "object" 5) (field "caller" 7) (field "payload" string) (field "accept-encoding" 1)))
      (export (;9;) "context" (type (eq 8)))
      (type (;10;) (record (field "status" u16) (field "code" string) (field "message" string)))
      (export (;11;) "failure" (type (eq 10)))
    )
  )
  (import "refract:transform/types@0.1.0" (instance $refract:transform/types@0.1.0 (;3;) (type $ty-refract:transform/types@0.1.0)))
  (alias export $wasi:io/streams@0.2.0 "input-stream" (type $input-stream (;5;)))
  (import "input-stream" (type $"#type6 input-stream" (@name "input-stream") (;6;) (eq $input-stream)))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $output-stream (;7;)))
  (import "output-stream" (type $"#type8 output-stream" (@name "output-stream") (;8;) (eq $output-stream)))
  (alias export $refract:transform/types@0.1.0 "context" (type $context (;9;)))
  (import "context" (type $"#type10 context" (@name "context") (;10;) (eq $context)))
  (alias export $refract:transform/types@0.1.0 "failure" (type $failure (;11;)))
  (import "failure" (type $"#type12 failure" (@name "failure") (;12;) (eq $failure)))
  (core module $main (;0;)
    (type (;0;) (func (param i32 i64 i32)))
    (type (;1;) (func (param i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32)))
    (type (;3;) (func (param i32)))
    (type (;4;) (func (param i32 i32 i32)))
    (type (;5;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;6;) (func (param i32 i64) (result i32)))
    (type (;7;) (func (param i32) (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func $read (;0;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush" (func $blocking-write (;1;) (type 1)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func $check (;2;) (type 2)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func $write (;3;) (type 1)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-flush" (func $flush (;4;) (type 2)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]input-stream" (func $drop-input (;5;) (type 3)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func $drop-output (;6;) (type 3)))
    (import "refract:transform/head@0.1.0" "set-content-type" (func $set-type (;7;) (type 4)))
    (import "refract:transform/head@0.1.0" "set-content-encoding" (func $set-coding (;8;) (type 1)))
    (import "refract:transform/head@0.1.0" "set-metadata" (func $set-metadata (;9;) (type 4)))
    (memory (;0;) 4)
    (global $heap (;0;) (mut i32) i32.const 2048)
    (export "memory" (memory 0))
    (export "cabi_realloc" (func $realloc))
    (export "transform" (func 17))
    (func $realloc (;10;) (type 5) (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
      (local $at i32)
      global.get $heap
      local.get $align
      i32.const 1
      i32.sub
      i32.add
      local.get $align
      i32.const 1
      i32.sub
      i32.const -1
      i32.xor
      i32.and
      local.set $at
      local.get $at
      local.get $new
      i32.add
      global.set $heap
      global.get $heap
      memory.size
      i32.const 16
      i32.shl
      i32.gt_u
      if ;; label = @1
        i32.const 16
        memory.grow
        i32.const -1
        i32.eq
        if ;; label = @2
          unreachable
        end
      end
      local.get $at
    )
    (func $fill (;11;) (type 6) (param $input i32) (param $most i64) (result i32)
      local.get $input
      local.get $most
      i32.const 0
      call $read
      i32.const 0
      i32.load8_u
      if (result i32) ;; label = @1
        i32.const 0
      else
        i32.const 8
        i32.load
      end
    )
    (func $put (;12;) (type 4) (param $output i32) (param $at i32) (param $size i32)
      local.get $output
      local.get $at
      local.get $size
      i32.const 0
      call $blocking-write
      i32.const 0
      i32.load8_u
      if ;; label = @1
        unreachable
      end
    )
    (func $upper (;13;) (type 2) (param $input i32) (param $output i32)
      (local $mark i32) (local $size i32) (local $at i32) (local $end i32) (local $c i32)
      global.get $heap
      local.set $mark
      block $done
        loop $more
          local.get $mark
          global.set $heap
          local.get $input
          i64.const 4096
          call $fill
          local.tee $size
          i32.eqz
          br_if $done
          i32.const 4
          i32.load
          local.set $at
          local.get $at
          local.get $size
          i32.add
          local.set $end
          loop $letter
            local.get $at
            i32.load8_u
            local.set $c
            local.get $c
            i32.const 97
            i32.sub
            i32.const 26
            i32.lt_u
            if ;; label = @4
              local.get $at
              local.get $c
              i32.const 32
              i32.sub
              i32.store8
            end
            local.get $at
            i32.const 1
            i32.add
            local.set $at
            local.get $at
            local.get $end
            i32.lt_u
            br_if $letter
          end
          local.get $output
          i32.const 4
          i32.load
          local.get $size
          call $put
          br $more
        end
      end
    )
    (func $copy (;14;) (type 2) (param $input i32) (param $output i32)
      (local $mark i32) (local $size i32) (local $at i32) (local $room i32)
      global.get $heap
      local.set $mark
      block $done
        loop $more
          local.get $mark
          global.set $heap
          local.get $input
          i64.const 131072
          call $fill
          local.tee $size
          i32.eqz
          br_if $done
          i32.const 4
          i32.load
          local.set $at
          loop $rest
            local.get $output
            i32.const 0
            call $check
            i32.const 0
            i32.load8_u
            if ;; label = @4
              unreachable
            end
            i32.const 8
            i64.load
            i32.wrap_i64
            local.set $room
            local.get $room
            i32.eqz
            if ;; label = @4
              local.get $output
              i32.const 0
              call $flush
              br $rest
            end
            local.get $room
            local.get $size
            i32.gt_u
            if ;; label = @4
              local.get $size
              local.set $room
            end
            local.get $output
            local.get $at
            local.get $room
            i32.const 0
            call $write
            local.get $at
            local.get $room
            i32.add
            local.set $at
            local.get $size
            local.get $room
            i32.sub
            local.set $size
            local.get $size
            br_if $rest
          end
          br $more
        end
      end
    )
    (func $head (;15;) (type 2) (param $arguments i32) (param $output i32)
      i32.const 256
      i32.const 12
      i32.const 0
      call $set-type
      i32.const 0
      i32.load8_u
      if ;; label = @1
        unreachable
      end
      i32.const 0
      i32.const 0
      i32.const 0
      i32.const 0
      call $set-coding
      i32.const 0
      i32.load8_u
      if ;; label = @1
        unreachable
      end
      i32.const 1024
      i32.const 1
      i32.const 0
      call $set-metadata
      i32.const 0
      i32.load8_u
      if ;; label = @1
        unreachable
      end
      local.get $output
      local.get $arguments
      i32.load offset=140
      local.get $arguments
      i32.load offset=144
      call $put
      i32.const 256
      i32.const 12
      i32.const 0
      call $set-type
      i32.const 0
      i32.load8_u
      i32.eqz
      if ;; label = @1
        unreachable
      end
    )
    (func $pages (;16;) (type 2) (param $output i32) (param $count i32)
      loop $more
        local.get $output
        i32.const 4096
        i32.const 4096
        call $put
        local.get $count
        i32.const 1
        i32.sub
        local.tee $count
        br_if $more
      end
    )
    (func (;17;) (type 7) (param $arguments i32) (result i32)
      (local $input i32) (local $output i32) (local $what i32)
      local.get $arguments
      i32.load offset=160
      local.set $input
      local.get $arguments
      i32.load offset=164
      local.set $output
      local.get $arguments
      i32.load offset=8
      i32.load8_u
      local.set $what
      local.get $what
      i32.const 117
      i32.eq
      if ;; label = @1
        local.get $input
        local.get $output
        call $upper
      end
      local.get $what
      i32.const 99
      i32.eq
      if ;; label = @1
        local.get $input
        local.get $output
        call $copy
      end
      local.get $what
      i32.const 104
      i32.eq
      if ;; label = @1
        local.get $arguments
        local.get $output
        call $head
      end
      local.get $what
      i32.const 116
      i32.eq
      if ;; label = @1
        unreachable
      end
      local.get $what
      i32.const 120
      i32.eq
      if ;; label = @1
        local.get $output
        i32.const 512
        call $pages
        unreachable
      end
      local.get $what
      i32.const 108
      i32.eq
      if ;; label = @1
        loop $forever
          br $forever
        end
      end
      local.get $what
      i32.const 119
      i32.eq
      if ;; label = @1
        local.get $output
        i32.const 0
        call $pages
      end
      local.get $what
      i32.const 109
      i32.eq
      if ;; label = @1
        loop $more
          i32.const 16
          memory.grow
          i32.const -1
          i32.ne
          br_if $more
        end
        unreachable
      end
      local.get $input
      call $drop-input
      local.get $output
      call $drop-output
      i32.const 64
      i32.const 0
      i32.store8
      local.get $what
      i32.const 102
      i32.eq
      if ;; label = @1
        i32.const 64
        i32.const 1
        i32.store8
        i32.const 68
        i32.const 418
        i32.store16
        i32.const 72
        i32.const 288
        i32.store
        i32.const 76
        i32.const 6
        i32.store
        i32.const 80
        i32.const 304
        i32.store
        i32.const 84
        i32.const 15
        i32.store
      end
      i32.const 64
    )
    (data (;0;) (i32.const 256) "text/x-probe")
    (data (;1;) (i32.const 288) "Teapot")
    (data (;2;) (i32.const 304) "short and stout")
    (data (;3;) (i32.const 320) "made-by")
    (data (;4;) (i32.const 336) "probe")
    (data (;5;) (i32.const 1024) "@\01\00\00\07\00\00\00P\01\00\00\05\00\00\00")
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i64 i32)))
    (type (;1;) (func (param i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32)))
    (type (;3;) (func (param i32 i32 i32)))
    (table (;0;) 8 8 funcref)
    (export "0" (func 0))
    (export "1" (func 1))
    (export "2" (func 2))
    (export "3" (func 3))
    (export "4" (func 4))
    (export "5" (func 5))
    (export "6" (func 6))
    (export "7" (func 7))
    (export "$imports" (table 0))
    (func (;0;) (type 0) (param i32 i64 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 0
      call_indirect (type 0)
    )
    (func (;1;) (type 1) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 1
      call_indirect (type 1)
    )
    (func (;2;) (type 2) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 2
      call_indirect (type 2)
    )
    (func (;3;) (type 1) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 3
      call_indirect (type 1)
    )
    (func (;4;) (type 2) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 4
      call_indirect (type 2)
    )
    (func (;5;) (type 3) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 5
      call_indirect (type 3)
    )
    (func (;6;) (type 1) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 6
      call_indirect (type 1)
    )
    (func (;7;) (type 3) (param i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 7
      call_indirect (type 3)
    )
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias core export $wit-component-shim-instance "0" (core func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (;0;)))
  (alias core export $wit-component-shim-instance "1" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-write-and-flush" (;1;)))
  (alias core export $wit-component-shim-instance "2" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (;2;)))
  (alias core export $wit-component-shim-instance "3" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (;3;)))
  (alias core export $wit-component-shim-instance "4" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (;4;)))
  (alias export $wasi:io/streams@0.2.0 "input-stream" (type $"#type13 input-stream" (@name "input-stream") (;13;)))
  (core func $resource.drop (;5;) (canon resource.drop $"#type13 input-stream"))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $"#type14 output-stream" (@name "output-stream") (;14;)))
  (core func $"#core-func6 resource.drop" (@name "resource.drop") (;6;) (canon resource.drop $"#type14 output-stream"))
  (core instance $wasi:io/streams@0.2.0 (;1;)
    (export "[method]input-stream.blocking-read" (func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
    (export "[method]output-stream.blocking-write-and-flush" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-write-and-flush"))
    (export "[method]output-stream.check-write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "[method]output-stream.write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "[method]output-stream.blocking-flush" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "[resource-drop]input-stream" (func $resource.drop))
    (export "[resource-drop]output-stream" (func $"#core-func6 resource.drop"))
  )
  (alias core export $wit-component-shim-instance "5" (core func $indirect-refract:transform/head@0.1.0-set-content-type (;7;)))
  (alias core export $wit-component-shim-instance "6" (core func $indirect-refract:transform/head@0.1.0-set-content-encoding (;8;)))
  (alias core export $wit-component-shim-instance "7" (core func $indirect-refract:transform/head@0.1.0-set-metadata (;9;)))
  (core instance $refract:transform/head@0.1.0 (;2;)
    (export "set-content-type" (func $indirect-refract:transform/head@0.1.0-set-content-type))
    (export "set-content-encoding" (func $indirect-refract:transform/head@0.1.0-set-content-encoding))
    (export "set-metadata" (func $indirect-refract:transform/head@0.1.0-set-metadata))
  )
  (core instance $main (;3;) (instantiate $main
      (with "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0))
      (with "refract:transform/head@0.1.0" (instance $refract:transform/head@0.1.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i64 i32)))
    (type (;1;) (func (param i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32)))
    (type (;3;) (func (param i32 i32 i32)))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 1)))
    (import "actual" "2" (func (;2;) (type 2)))
    (import "actual" "3" (func (;3;) (type 1)))
    (import "actual" "4" (func (;4;) (type 2)))
    (import "actual" "5" (func (;5;) (type 3)))
    (import "actual" "6" (func (;6;) (type 1)))
    (import "actual" "7" (func (;7;) (type 3)))
    (import "shim" "$imports" (table (;0;) 8 8 funcref))
    (elem (;0;) (i32.const 0) func 0 1 2 3 4 5 6 7)
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (alias export $wasi:io/streams@0.2.0 "[method]input-stream.blocking-read" (func $"[method]input-stream.blocking-read" (;0;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;10;)))
  (core func $"#core-func11 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (@name "indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read") (;11;) (canon lower (func $"[method]input-stream.blocking-read") (memory $memory) (realloc $cabi_realloc)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.blocking-write-and-flush" (func $"[method]output-stream.blocking-write-and-flush" (;1;)))
  (core func $"#core-func12 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-write-and-flush" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-write-and-flush") (;12;) (canon lower (func $"[method]output-stream.blocking-write-and-flush") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.check-write" (func $"[method]output-stream.check-write" (;2;)))
  (core func $"#core-func13 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write") (;13;) (canon lower (func $"[method]output-stream.check-write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.write" (func $"[method]output-stream.write" (;3;)))
  (core func $"#core-func14 indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.write") (;14;) (canon lower (func $"[method]output-stream.write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.blocking-flush" (func $"[method]output-stream.blocking-flush" (;4;)))
  (core func $"#core-func15 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush") (;15;) (canon lower (func $"[method]output-stream.blocking-flush") (memory $memory)))
  (alias export $refract:transform/head@0.1.0 "set-content-type" (func $set-content-type (;5;)))
  (core func $"#core-func16 indirect-refract:transform/head@0.1.0-set-content-type" (@name "indirect-refract:transform/head@0.1.0-set-content-type") (;16;) (canon lower (func $set-content-type) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $refract:transform/head@0.1.0 "set-content-encoding" (func $set-content-encoding (;6;)))
  (core func $"#core-func17 indirect-refract:transform/head@0.1.0-set-content-encoding" (@name "indirect-refract:transform/head@0.1.0-set-content-encoding") (;17;) (canon lower (func $set-content-encoding) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $refract:transform/head@0.1.0 "set-metadata" (func $set-metadata (;7;)))
  (core func $"#core-func18 indirect-refract:transform/head@0.1.0-set-metadata" (@name "indirect-refract:transform/head@0.1.0-set-metadata") (;18;) (canon lower (func $set-metadata) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (core instance $actual (;4;)
    (export "0" (func $"#core-func11 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
    (export "1" (func $"#core-func12 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-write-and-flush"))
    (export "2" (func $"#core-func13 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "3" (func $"#core-func14 indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "4" (func $"#core-func15 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "5" (func $"#core-func16 indirect-refract:transform/head@0.1.0-set-content-type"))
    (export "6" (func $"#core-func17 indirect-refract:transform/head@0.1.0-set-content-encoding"))
    (export "7" (func $"#core-func18 indirect-refract:transform/head@0.1.0-set-metadata"))
  )
  (core instance $fixup (;5;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;15;) (own $"#type6 input-stream"))
  (type (;16;) (own $"#type8 output-stream"))
  (type (;17;) (result (error $"#type12 failure")))
  (type (;18;) (func (param "context" $"#type10 context") (param "input" 15) (param "output" 16) (result 17)))
  (alias core export $main "transform" (core func $transform (;19;)))
  (func $transform (;8;) (type 18) (canon lift (core func $transform) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (export $"#func9 transform" (@name "transform") (;9;) "transform" (func $transform))
  (@producers
    (processed-by "wit-component" "0.259.0")
  )
)

