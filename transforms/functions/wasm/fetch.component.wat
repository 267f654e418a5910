;; c/fetch.c as a component: what `jco print` says of it. The tests run it.
(component
  (type $ty-wasi:io/poll@0.2.0 (;0;)
    (instance
      (export (;0;) "pollable" (type (sub resource)))
      (type (;1;) (borrow 0))
      (type (;2;) (func (param "self" 1)))
      (export (;0;) "[method]pollable.block" (func (type 2)))
    )
  )
  (import "wasi:io/poll@0.2.0" (instance $wasi:io/poll@0.2.0 (;0;) (type $ty-wasi:io/poll@0.2.0)))
  (type $ty-wasi:io/error@0.2.0 (;1;)
    (instance
      (export (;0;) "error" (type (sub resource)))
    )
  )
  (import "wasi:io/error@0.2.0" (instance $wasi:io/error@0.2.0 (;1;) (type $ty-wasi:io/error@0.2.0)))
  (alias export $wasi:io/error@0.2.0 "error" (type $error (;2;)))
  (type $ty-wasi:io/streams@0.2.0 (;3;)
    (instance
      (export (;0;) "output-stream" (type (sub resource)))
      (export (;1;) "input-stream" (type (sub resource)))
      (alias outer 1 $error (type (;2;)))
      (export (;3;) "error" (type (eq 2)))
      (type (;4;) (own 3))
      (type (;5;) (variant (case "last-operation-failed" 4) (case "closed")))
      (export (;6;) "stream-error" (type (eq 5)))
      (type (;7;) (borrow 1))
      (type (;8;) (list u8))
      (type (;9;) (result 8 (error 6)))
      (type (;10;) (func (param "self" 7) (param "len" u64) (result 9)))
      (export (;0;) "[method]input-stream.blocking-read" (func (type 10)))
      (type (;11;) (borrow 0))
      (type (;12;) (result u64 (error 6)))
      (type (;13;) (func (param "self" 11) (result 12)))
      (export (;1;) "[method]output-stream.check-write" (func (type 13)))
      (type (;14;) (result (error 6)))
      (type (;15;) (func (param "self" 11) (param "contents" 8) (result 14)))
      (export (;2;) "[method]output-stream.write" (func (type 15)))
      (type (;16;) (func (param "self" 11) (result 14)))
      (export (;3;) "[method]output-stream.blocking-flush" (func (type 16)))
    )
  )
  (import "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0 (;2;) (type $ty-wasi:io/streams@0.2.0)))
  (alias export $wasi:io/poll@0.2.0 "pollable" (type $pollable (;4;)))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $output-stream (;5;)))
  (alias export $wasi:io/streams@0.2.0 "input-stream" (type $input-stream (;6;)))
  (type $ty-wasi:http/types@0.2.0 (;7;)
    (instance
      (export (;0;) "incoming-request" (type (sub resource)))
      (export (;1;) "fields" (type (sub resource)))
      (export (;2;) "headers" (type (eq 1)))
      (export (;3;) "outgoing-request" (type (sub resource)))
      (type (;4;) (variant (case "HTTP") (case "HTTPS") (case "other" string)))
      (export (;5;) "scheme" (type (eq 4)))
      (export (;6;) "future-incoming-response" (type (sub resource)))
      (alias outer 1 $pollable (type (;7;)))
      (export (;8;) "pollable" (type (eq 7)))
      (export (;9;) "incoming-response" (type (sub resource)))
      (type (;10;) (option string))
      (type (;11;) (option u16))
      (type (;12;) (record (field "rcode" 10) (field "info-code" 11)))
      (export (;13;) "DNS-error-payload" (type (eq 12)))
      (type (;14;) (option u8))
      (type (;15;) (record (field "alert-id" 14) (field "alert-message" 10)))
      (export (;16;) "TLS-alert-received-payload" (type (eq 15)))
      (type (;17;) (option u32))
      (type (;18;) (record (field "field-name" 10) (field "field-size" 17)))
      (export (;19;) "field-size-payload" (type (eq 18)))
      (type (;20;) (option u64))
      (type (;21;) (option 19))
      (type (;22;) (variant (case "DNS-timeout") (case "DNS-error" 13) (case "destination-not-found") (case "destination-unavailable") (case "destination-IP-prohibited") (case "destination-IP-unroutable") (case "connection-refused") (case "connection-terminated") (case "connection-timeout") (case "connection-read-timeout") (case "connection-write-timeout") (case "connection-limit-reached") (case "TLS-protocol-error") (case "TLS-certificate-error") (case "TLS-alert-received" 16) (case "HTTP-request-denied") (case "HTTP-request-length-required") (case "HTTP-request-body-size" 20) (case "HTTP-request-method-invalid") (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long") (case "HTTP-request-header-section-size" 17) (case "HTTP-request-header-size" 21) (case "HTTP-request-trailer-section-size" 17) (case "HTTP-request-trailer-size" 19) (case "HTTP-response-incomplete") (case "HTTP-response-header-section-size" 17) (case "HTTP-response-header-size" 19) (case "HTTP-response-body-size" 20) (case "HTTP-response-trailer-section-size" 17) (case "HTTP-response-trailer-size" 19) (case "HTTP-response-transfer-coding" 10) (case "HTTP-response-content-coding" 10) (case "HTTP-response-timeout") (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected") (case "configuration-error") (case "internal-error" 10)))
      (export (;23;) "error-code" (type (eq 22)))
      (export (;24;) "outgoing-response" (type (sub resource)))
      (type (;25;) string)
      (export (;26;) "field-key" (type (eq 25)))
      (export (;27;) "field-name" (type (eq 26)))
      (type (;28;) (list u8))
      (export (;29;) "field-value" (type (eq 28)))
      (type (;30;) (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
      (export (;31;) "header-error" (type (eq 30)))
      (type (;32;) u16)
      (export (;33;) "status-code" (type (eq 32)))
      (export (;34;) "outgoing-body" (type (sub resource)))
      (alias outer 1 $output-stream (type (;35;)))
      (export (;36;) "output-stream" (type (eq 35)))
      (export (;37;) "response-outparam" (type (sub resource)))
      (export (;38;) "incoming-body" (type (sub resource)))
      (alias outer 1 $input-stream (type (;39;)))
      (export (;40;) "input-stream" (type (eq 39)))
      (export (;41;) "trailers" (type (eq 1)))
      (export (;42;) "request-options" (type (sub resource)))
      (type (;43;) (own 1))
      (type (;44;) (func (result 43)))
      (export (;0;) "[constructor]fields" (func (type 44)))
      (type (;45;) (borrow 1))
      (type (;46;) (result (error 31)))
      (type (;47;) (func (param "self" 45) (param "name" 27) (param "value" 29) (result 46)))
      (export (;1;) "[method]fields.append" (func (type 47)))
      (type (;48;) (borrow 0))
      (type (;49;) (func (param "self" 48) (result 10)))
      (export (;2;) "[method]incoming-request.path-with-query" (func (type 49)))
      (type (;50;) (own 2))
      (type (;51;) (own 3))
      (type (;52;) (func (param "headers" 50) (result 51)))
      (export (;3;) "[constructor]outgoing-request" (func (type 52)))
      (type (;53;) (borrow 3))
      (type (;54;) (result))
      (type (;55;) (func (param "self" 53) (param "path-with-query" 10) (result 54)))
      (export (;4;) "[method]outgoing-request.set-path-with-query" (func (type 55)))
      (type (;56;) (option 5))
      (type (;57;) (func (param "self" 53) (param "scheme" 56) (result 54)))
      (export (;5;) "[method]outgoing-request.set-scheme" (func (type 57)))
      (type (;58;) (func (param "self" 53) (param "authority" 10) (result 54)))
      (export (;6;) "[method]outgoing-request.set-authority" (func (type 58)))
      (type (;59;) (own 37))
      (type (;60;) (own 24))
      (type (;61;) (result 60 (error 23)))
      (type (;62;) (func (param "param" 59) (param "response" 61)))
      (export (;7;) "[static]response-outparam.set" (func (type 62)))
      (type (;63;) (borrow 9))
      (type (;64;) (own 38))
      (type (;65;) (result 64))
      (type (;66;) (func (param "self" 63) (result 65)))
      (export (;8;) "[method]incoming-response.consume" (func (type 66)))
      (type (;67;) (borrow 38))
      (type (;68;) (own 40))
      (type (;69;) (result 68))
      (type (;70;) (func (param "self" 67) (result 69)))
      (export (;9;) "[method]incoming-body.stream" (func (type 70)))
      (type (;71;) (func (param "headers" 50) (result 60)))
      (export (;10;) "[constructor]outgoing-response" (func (type 71)))
      (type (;72;) (borrow 24))
      (type (;73;) (func (param "self" 72) (param "status-code" 33) (result 54)))
      (export (;11;) "[method]outgoing-response.set-status-code" (func (type 73)))
      (type (;74;) (own 34))
      (type (;75;) (result 74))
      (type (;76;) (func (param "self" 72) (result 75)))
      (export (;12;) "[method]outgoing-response.body" (func (type 76)))
      (type (;77;) (borrow 34))
      (type (;78;) (own 36))
      (type (;79;) (result 78))
      (type (;80;) (func (param "self" 77) (result 79)))
      (export (;13;) "[method]outgoing-body.write" (func (type 80)))
      (type (;81;) (own 41))
      (type (;82;) (option 81))
      (type (;83;) (result (error 23)))
      (type (;84;) (func (param "this" 74) (param "trailers" 82) (result 83)))
      (export (;14;) "[static]outgoing-body.finish" (func (type 84)))
      (type (;85;) (borrow 6))
      (type (;86;) (own 8))
      (type (;87;) (func (param "self" 85) (result 86)))
      (export (;15;) "[method]future-incoming-response.subscribe" (func (type 87)))
      (type (;88;) (own 9))
      (type (;89;) (result 88 (error 23)))
      (type (;90;) (result 89))
      (type (;91;) (option 90))
      (type (;92;) (func (param "self" 85) (result 91)))
      (export (;16;) "[method]future-incoming-response.get" (func (type 92)))
    )
  )
  (import "wasi:http/types@0.2.0" (instance $wasi:http/types@0.2.0 (;3;) (type $ty-wasi:http/types@0.2.0)))
  (alias export $wasi:http/types@0.2.0 "outgoing-request" (type $outgoing-request (;8;)))
  (alias export $wasi:http/types@0.2.0 "request-options" (type $request-options (;9;)))
  (alias export $wasi:http/types@0.2.0 "future-incoming-response" (type $future-incoming-response (;10;)))
  (alias export $wasi:http/types@0.2.0 "error-code" (type $error-code (;11;)))
  (type $ty-wasi:http/outgoing-handler@0.2.0 (;12;)
    (instance
      (alias outer 1 $outgoing-request (type (;0;)))
      (export (;1;) "outgoing-request" (type (eq 0)))
      (alias outer 1 $request-options (type (;2;)))
      (export (;3;) "request-options" (type (eq 2)))
      (alias outer 1 $future-incoming-response (type (;4;)))
      (export (;5;) "future-incoming-response" (type (eq 4)))
      (alias outer 1 $error-code (type (;6;)))
      (export (;7;) "error-code" (type (eq 6)))
      (type (;8;) (own 1))
      (type (;9;) (own 3))
      (type (;10;) (option 9))
      (type (;11;) (own 5))
      (type (;12;) (result 11 (error 7)))
      (type (;13;) (func (param "request" 8) (param "options" 10) (result 12)))
      (export (;0;) "handle" (func (type 13)))
    )
  )
  (import "wasi:http/outgoing-handler@0.2.0" (instance $wasi:http/outgoing-handler@0.2.0 (;4;) (type $ty-wasi:http/outgoing-handler@0.2.0)))
  (core module $main (;0;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (result i32)))
    (type (;2;) (func (param i32) (result i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (type (;4;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;5;) (func (param i32 i32 i32 i32)))
    (type (;6;) (func (param i32)))
    (type (;7;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;8;) (func (param i32 i32) (result i32)))
    (type (;9;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;10;) (func (param i32 i64 i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-request.path-with-query" (func (;0;) (type 0)))
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func (;1;) (type 1)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-request" (func (;2;) (type 2)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-scheme" (func (;3;) (type 3)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-authority" (func (;4;) (type 4)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-request.set-path-with-query" (func (;5;) (type 4)))
    (import "wasi:http/outgoing-handler@0.2.0" "handle" (func (;6;) (type 5)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.subscribe" (func (;7;) (type 2)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func (;8;) (type 6)))
    (import "wasi:http/types@0.2.0" "[method]future-incoming-response.get" (func (;9;) (type 0)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func (;10;) (type 2)))
    (import "wasi:http/types@0.2.0" "[method]fields.append" (func (;11;) (type 7)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code" (func (;12;) (type 8)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func (;13;) (type 0)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func (;14;) (type 0)))
    (import "wasi:http/types@0.2.0" "[static]response-outparam.set" (func (;15;) (type 9)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func (;16;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-flush" (func (;17;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func (;18;) (type 5)))
    (import "wasi:http/types@0.2.0" "[method]incoming-response.consume" (func (;19;) (type 0)))
    (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func (;20;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func (;21;) (type 10)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func (;22;) (type 6)))
    (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func (;23;) (type 5)))
    (table (;0;) 1 1 funcref)
    (memory (;0;) 4)
    (global (;0;) (mut i32) i32.const 230448)
    (export "memory" (memory 0))
    (export "cabi_realloc" (func 24))
    (export "wasi:http/incoming-handler@0.2.0#handle" (func 25))
    (func (;24;) (type 4) (param i32 i32 i32 i32) (result i32)
      i32.const 0
      local.get 2
      i32.const 0
      i32.load offset=1056
      i32.add
      i32.const -1
      i32.add
      i32.const 0
      local.get 2
      i32.sub
      i32.and
      local.tee 2
      i32.store offset=1056
      block ;; label = @1
        local.get 2
        local.get 3
        i32.add
        local.tee 3
        i32.const 163841
        i32.lt_u
        br_if 0 (;@1;)
        unreachable
        unreachable
      end
      i32.const 0
      local.get 3
      i32.store offset=1056
      local.get 2
      i32.const 1072
      i32.add
    )
    (func (;25;) (type 0) (param i32 i32)
      (local i32 i32 i32 i32 i32 i64 i32)
      global.get 0
      i32.const 176
      i32.sub
      local.tee 2
      global.set 0
      local.get 0
      local.get 2
      i32.const 32
      i32.add
      call 0
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            block ;; label = @4
              local.get 2
              i32.load8_u offset=32
              i32.eqz
              br_if 0 (;@4;)
              local.get 2
              i32.load offset=40
              local.tee 3
              i32.const 3
              i32.lt_u
              br_if 0 (;@4;)
              i32.const 2
              local.set 0
              local.get 2
              i32.load offset=36
              local.set 4
              block ;; label = @5
                loop ;; label = @6
                  block ;; label = @7
                    block ;; label = @8
                      local.get 4
                      local.get 0
                      i32.add
                      local.tee 5
                      i32.load8_u
                      local.tee 6
                      i32.const 95
                      i32.eq
                      br_if 0 (;@8;)
                      local.get 6
                      i32.const 47
                      i32.ne
                      br_if 1 (;@7;)
                      br 3 (;@5;)
                    end
                    local.get 5
                    i32.const 58
                    i32.store8
                  end
                  local.get 3
                  local.get 0
                  i32.const 1
                  i32.add
                  local.tee 0
                  i32.ne
                  br_if 0 (;@6;)
                end
                local.get 3
                local.set 0
              end
              call 1
              call 2
              local.tee 6
              i32.const 1
              local.get 4
              i32.load8_u offset=1
              i32.const 115
              i32.eq
              i32.const 0
              i32.const 0
              call 3
              drop
              local.get 6
              i32.const 1
              local.get 4
              i32.const 2
              i32.add
              local.get 0
              i32.const -2
              i32.add
              call 4
              br_if 0 (;@4;)
              local.get 6
              i32.const 1
              local.get 4
              local.get 0
              i32.add
              local.get 3
              local.get 0
              i32.sub
              call 5
              br_if 0 (;@4;)
              local.get 6
              i32.const 0
              i32.const 0
              local.get 2
              i32.const 112
              i32.add
              call 6
              local.get 2
              i64.load offset=120
              local.set 7
              block ;; label = @5
                local.get 2
                i32.load8_u offset=112
                i32.eqz
                br_if 0 (;@5;)
                call 1
                local.set 0
                local.get 7
                i32.wrap_i64
                local.set 4
                br 2 (;@3;)
              end
              local.get 7
              i32.wrap_i64
              local.tee 0
              call 7
              call 8
              local.get 0
              local.get 2
              i32.const 48
              i32.add
              call 9
              local.get 2
              i64.load offset=72
              local.set 7
              block ;; label = @5
                local.get 2
                i32.load8_u offset=64
                i32.eqz
                br_if 0 (;@5;)
                call 1
                local.set 0
                local.get 7
                i32.wrap_i64
                local.set 4
                br 2 (;@3;)
              end
              i32.const 0
              local.set 5
              call 1
              local.set 0
              i32.const 255
              local.set 4
              local.get 7
              i32.wrap_i64
              local.tee 3
              i32.const 0
              i32.lt_s
              br_if 2 (;@2;)
              local.get 0
              call 10
              local.set 6
              br 3 (;@1;)
            end
            call 1
            local.set 0
            i32.const 255
            local.set 4
          end
          i32.const -1
          local.set 3
        end
        local.get 0
        i32.const 1033
        i32.const 20
        i32.const 1024
        i32.const 8
        local.get 2
        i32.const 112
        i32.add
        call 11
        local.get 0
        call 10
        local.tee 6
        i32.const 502
        call 12
        drop
        i32.const 1
        local.set 5
      end
      local.get 6
      local.get 2
      i32.const 24
      i32.add
      call 13
      local.get 2
      i32.load offset=28
      local.tee 8
      local.get 2
      i32.const 24
      i32.add
      call 14
      local.get 2
      i32.load offset=28
      local.set 0
      local.get 1
      i32.const 0
      local.get 6
      i32.const 0
      i64.const 0
      i32.const 0
      i32.const 0
      i32.const 0
      i32.const 0
      call 15
      block ;; label = @1
        block ;; label = @2
          local.get 5
          i32.eqz
          br_if 0 (;@2;)
          local.get 2
          local.get 4
          i32.const 255
          i32.and
          local.tee 6
          i32.const 100
          i32.div_u
          i32.const 48
          i32.or
          i32.store8 offset=8
          local.get 2
          local.get 6
          i32.const 10
          i32.div_u
          local.tee 6
          i32.const 10
          i32.rem_u
          i32.const 48
          i32.or
          i32.store8 offset=9
          local.get 2
          local.get 4
          local.get 6
          i32.const 10
          i32.mul
          i32.sub
          i32.const 48
          i32.or
          i32.store8 offset=10
          i32.const 3
          local.set 6
          local.get 2
          i32.const 8
          i32.add
          local.set 5
          loop ;; label = @3
            local.get 6
            i32.eqz
            br_if 2 (;@1;)
            local.get 0
            local.get 2
            i32.const 48
            i32.add
            call 16
            local.get 2
            i32.load8_u offset=48
            br_if 2 (;@1;)
            block ;; label = @4
              loop ;; label = @5
                local.get 2
                i64.load offset=56
                local.tee 7
                i64.const 0
                i64.ne
                br_if 1 (;@4;)
                local.get 0
                local.get 2
                i32.const 48
                i32.add
                call 17
                local.get 0
                local.get 2
                i32.const 48
                i32.add
                call 16
                local.get 2
                i32.load8_u offset=48
                i32.eqz
                br_if 0 (;@5;)
                br 4 (;@1;)
              end
            end
            local.get 0
            local.get 5
            local.get 6
            local.get 7
            i32.wrap_i64
            local.get 7
            local.get 6
            i64.extend_i32_u
            i64.gt_u
            select
            local.tee 4
            local.get 2
            i32.const 48
            i32.add
            call 18
            local.get 6
            local.get 4
            i32.sub
            local.set 6
            local.get 5
            local.get 4
            i32.add
            local.set 5
            local.get 2
            i32.load8_u offset=48
            i32.eqz
            br_if 0 (;@3;)
            br 2 (;@1;)
          end
        end
        local.get 3
        local.get 2
        i32.const 24
        i32.add
        call 19
        local.get 2
        i32.load offset=28
        local.get 2
        i32.const 24
        i32.add
        call 20
        i32.const 0
        i32.const 0
        i32.store offset=1056
        local.get 2
        i32.load offset=28
        local.tee 3
        i64.const 65536
        local.get 2
        i32.const 8
        i32.add
        call 21
        local.get 2
        i32.load8_u offset=8
        br_if 0 (;@1;)
        loop ;; label = @2
          local.get 2
          i32.load offset=16
          local.set 6
          local.get 2
          i32.load offset=12
          local.set 5
          block ;; label = @3
            loop ;; label = @4
              local.get 6
              i32.eqz
              br_if 1 (;@3;)
              local.get 0
              local.get 2
              i32.const 48
              i32.add
              call 16
              local.get 2
              i32.load8_u offset=48
              br_if 1 (;@3;)
              block ;; label = @5
                loop ;; label = @6
                  local.get 2
                  i64.load offset=56
                  local.tee 7
                  i64.const 0
                  i64.ne
                  br_if 1 (;@5;)
                  local.get 0
                  local.get 2
                  i32.const 48
                  i32.add
                  call 17
                  local.get 0
                  local.get 2
                  i32.const 48
                  i32.add
                  call 16
                  local.get 2
                  i32.load8_u offset=48
                  i32.eqz
                  br_if 0 (;@6;)
                  br 3 (;@3;)
                end
              end
              local.get 0
              local.get 5
              local.get 6
              local.get 7
              i32.wrap_i64
              local.get 7
              local.get 6
              i64.extend_i32_u
              i64.gt_u
              select
              local.tee 4
              local.get 2
              i32.const 48
              i32.add
              call 18
              local.get 6
              local.get 4
              i32.sub
              local.set 6
              local.get 5
              local.get 4
              i32.add
              local.set 5
              local.get 2
              i32.load8_u offset=48
              i32.eqz
              br_if 0 (;@4;)
            end
          end
          i32.const 0
          i32.const 0
          i32.store offset=1056
          local.get 3
          i64.const 65536
          local.get 2
          i32.const 8
          i32.add
          call 21
          local.get 2
          i32.load8_u offset=8
          i32.eqz
          br_if 0 (;@2;)
        end
      end
      local.get 0
      call 22
      local.get 8
      i32.const 0
      i32.const 0
      local.get 2
      i32.const 112
      i32.add
      call 23
      local.get 2
      i32.const 176
      i32.add
      global.set 0
    )
    (data (;0;) (i32.const 1024) "NoAnswer\00x-amz-fwd-error-code\00")
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;4;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;5;) (func (param i32 i32 i32 i32)))
    (type (;6;) (func (param i32 i64 i32)))
    (table (;0;) 17 17 funcref)
    (export "0" (func 0))
    (export "1" (func 1))
    (export "2" (func 2))
    (export "3" (func 3))
    (export "4" (func 4))
    (export "5" (func 5))
    (export "6" (func 6))
    (export "7" (func 7))
    (export "8" (func 8))
    (export "9" (func 9))
    (export "10" (func 10))
    (export "11" (func 11))
    (export "12" (func 12))
    (export "13" (func 13))
    (export "14" (func 14))
    (export "15" (func 15))
    (export "16" (func 16))
    (export "$imports" (table 0))
    (func (;0;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 0
      call_indirect (type 0)
    )
    (func (;1;) (type 1) (param i32 i32 i32 i32 i32) (result i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      i32.const 1
      call_indirect (type 1)
    )
    (func (;2;) (type 2) (param i32 i32 i32 i32) (result i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 2
      call_indirect (type 2)
    )
    (func (;3;) (type 2) (param i32 i32 i32 i32) (result i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 3
      call_indirect (type 2)
    )
    (func (;4;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 4
      call_indirect (type 0)
    )
    (func (;5;) (type 3) (param i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      i32.const 5
      call_indirect (type 3)
    )
    (func (;6;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 6
      call_indirect (type 0)
    )
    (func (;7;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 7
      call_indirect (type 0)
    )
    (func (;8;) (type 4) (param i32 i32 i32 i32 i64 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      local.get 6
      local.get 7
      local.get 8
      i32.const 8
      call_indirect (type 4)
    )
    (func (;9;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 9
      call_indirect (type 0)
    )
    (func (;10;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 10
      call_indirect (type 0)
    )
    (func (;11;) (type 5) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 11
      call_indirect (type 5)
    )
    (func (;12;) (type 5) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 12
      call_indirect (type 5)
    )
    (func (;13;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 13
      call_indirect (type 0)
    )
    (func (;14;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 14
      call_indirect (type 0)
    )
    (func (;15;) (type 5) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 15
      call_indirect (type 5)
    )
    (func (;16;) (type 6) (param i32 i64 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 16
      call_indirect (type 6)
    )
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias export $wasi:http/types@0.2.0 "incoming-request" (type $incoming-request (;13;)))
  (alias export $wasi:http/types@0.2.0 "response-outparam" (type $response-outparam (;14;)))
  (alias core export $wit-component-shim-instance "0" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query" (;0;)))
  (alias export $wasi:http/types@0.2.0 "[constructor]fields" (func $"[constructor]fields" (;0;)))
  (core func $"[constructor]fields" (;1;) (canon lower (func $"[constructor]fields")))
  (alias export $wasi:http/types@0.2.0 "[constructor]outgoing-request" (func $"[constructor]outgoing-request" (;1;)))
  (core func $"[constructor]outgoing-request" (;2;) (canon lower (func $"[constructor]outgoing-request")))
  (alias core export $wit-component-shim-instance "1" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-scheme" (;3;)))
  (alias core export $wit-component-shim-instance "2" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-authority" (;4;)))
  (alias core export $wit-component-shim-instance "3" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-path-with-query" (;5;)))
  (alias export $wasi:http/types@0.2.0 "[method]future-incoming-response.subscribe" (func $"[method]future-incoming-response.subscribe" (;2;)))
  (core func $"[method]future-incoming-response.subscribe" (;6;) (canon lower (func $"[method]future-incoming-response.subscribe")))
  (alias core export $wit-component-shim-instance "4" (core func $"indirect-wasi:http/types@0.2.0-[method]future-incoming-response.get" (;7;)))
  (alias export $wasi:http/types@0.2.0 "[constructor]outgoing-response" (func $"[constructor]outgoing-response" (;3;)))
  (core func $"[constructor]outgoing-response" (;8;) (canon lower (func $"[constructor]outgoing-response")))
  (alias core export $wit-component-shim-instance "5" (core func $"indirect-wasi:http/types@0.2.0-[method]fields.append" (;9;)))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-response.set-status-code" (func $"[method]outgoing-response.set-status-code" (;4;)))
  (core func $"[method]outgoing-response.set-status-code" (;10;) (canon lower (func $"[method]outgoing-response.set-status-code")))
  (alias core export $wit-component-shim-instance "6" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-response.body" (;11;)))
  (alias core export $wit-component-shim-instance "7" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-body.write" (;12;)))
  (alias core export $wit-component-shim-instance "8" (core func $"indirect-wasi:http/types@0.2.0-[static]response-outparam.set" (;13;)))
  (alias core export $wit-component-shim-instance "9" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-response.consume" (;14;)))
  (alias core export $wit-component-shim-instance "10" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-body.stream" (;15;)))
  (alias core export $wit-component-shim-instance "11" (core func $"indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish" (;16;)))
  (core instance $wasi:http/types@0.2.0 (;1;)
    (export "[method]incoming-request.path-with-query" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query"))
    (export "[constructor]fields" (func $"[constructor]fields"))
    (export "[constructor]outgoing-request" (func $"[constructor]outgoing-request"))
    (export "[method]outgoing-request.set-scheme" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-scheme"))
    (export "[method]outgoing-request.set-authority" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-authority"))
    (export "[method]outgoing-request.set-path-with-query" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-path-with-query"))
    (export "[method]future-incoming-response.subscribe" (func $"[method]future-incoming-response.subscribe"))
    (export "[method]future-incoming-response.get" (func $"indirect-wasi:http/types@0.2.0-[method]future-incoming-response.get"))
    (export "[constructor]outgoing-response" (func $"[constructor]outgoing-response"))
    (export "[method]fields.append" (func $"indirect-wasi:http/types@0.2.0-[method]fields.append"))
    (export "[method]outgoing-response.set-status-code" (func $"[method]outgoing-response.set-status-code"))
    (export "[method]outgoing-response.body" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-response.body"))
    (export "[method]outgoing-body.write" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-body.write"))
    (export "[static]response-outparam.set" (func $"indirect-wasi:http/types@0.2.0-[static]response-outparam.set"))
    (export "[method]incoming-response.consume" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-response.consume"))
    (export "[method]incoming-body.stream" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-body.stream"))
    (export "[static]outgoing-body.finish" (func $"indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish"))
  )
  (alias core export $wit-component-shim-instance "12" (core func $indirect-wasi:http/outgoing-handler@0.2.0-handle (;17;)))
  (core instance $wasi:http/outgoing-handler@0.2.0 (;2;)
    (export "handle" (func $indirect-wasi:http/outgoing-handler@0.2.0-handle))
  )
  (alias export $wasi:io/poll@0.2.0 "[method]pollable.block" (func $"[method]pollable.block" (;5;)))
  (core func $"[method]pollable.block" (;18;) (canon lower (func $"[method]pollable.block")))
  (core instance $wasi:io/poll@0.2.0 (;3;)
    (export "[method]pollable.block" (func $"[method]pollable.block"))
  )
  (alias core export $wit-component-shim-instance "13" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (;19;)))
  (alias core export $wit-component-shim-instance "14" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (;20;)))
  (alias core export $wit-component-shim-instance "15" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (;21;)))
  (alias core export $wit-component-shim-instance "16" (core func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (;22;)))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $"#type15 output-stream" (@name "output-stream") (;15;)))
  (core func $resource.drop (;23;) (canon resource.drop $"#type15 output-stream"))
  (core instance $wasi:io/streams@0.2.0 (;4;)
    (export "[method]output-stream.check-write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "[method]output-stream.blocking-flush" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "[method]output-stream.write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "[method]input-stream.blocking-read" (func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
    (export "[resource-drop]output-stream" (func $resource.drop))
  )
  (core instance $main (;5;) (instantiate $main
      (with "wasi:http/types@0.2.0" (instance $wasi:http/types@0.2.0))
      (with "wasi:http/outgoing-handler@0.2.0" (instance $wasi:http/outgoing-handler@0.2.0))
      (with "wasi:io/poll@0.2.0" (instance $wasi:io/poll@0.2.0))
      (with "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32) (result i32)))
    (type (;2;) (func (param i32 i32 i32 i32) (result i32)))
    (type (;3;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;4;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;5;) (func (param i32 i32 i32 i32)))
    (type (;6;) (func (param i32 i64 i32)))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 1)))
    (import "actual" "2" (func (;2;) (type 2)))
    (import "actual" "3" (func (;3;) (type 2)))
    (import "actual" "4" (func (;4;) (type 0)))
    (import "actual" "5" (func (;5;) (type 3)))
    (import "actual" "6" (func (;6;) (type 0)))
    (import "actual" "7" (func (;7;) (type 0)))
    (import "actual" "8" (func (;8;) (type 4)))
    (import "actual" "9" (func (;9;) (type 0)))
    (import "actual" "10" (func (;10;) (type 0)))
    (import "actual" "11" (func (;11;) (type 5)))
    (import "actual" "12" (func (;12;) (type 5)))
    (import "actual" "13" (func (;13;) (type 0)))
    (import "actual" "14" (func (;14;) (type 0)))
    (import "actual" "15" (func (;15;) (type 5)))
    (import "actual" "16" (func (;16;) (type 6)))
    (import "shim" "$imports" (table (;0;) 17 17 funcref))
    (elem (;0;) (i32.const 0) func 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (alias export $wasi:http/types@0.2.0 "[method]incoming-request.path-with-query" (func $"[method]incoming-request.path-with-query" (;6;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;24;)))
  (core func $"#core-func25 indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query") (;25;) (canon lower (func $"[method]incoming-request.path-with-query") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-request.set-scheme" (func $"[method]outgoing-request.set-scheme" (;7;)))
  (core func $"#core-func26 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-scheme" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-scheme") (;26;) (canon lower (func $"[method]outgoing-request.set-scheme") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-request.set-authority" (func $"[method]outgoing-request.set-authority" (;8;)))
  (core func $"#core-func27 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-authority" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-authority") (;27;) (canon lower (func $"[method]outgoing-request.set-authority") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-request.set-path-with-query" (func $"[method]outgoing-request.set-path-with-query" (;9;)))
  (core func $"#core-func28 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-path-with-query" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-path-with-query") (;28;) (canon lower (func $"[method]outgoing-request.set-path-with-query") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]future-incoming-response.get" (func $"[method]future-incoming-response.get" (;10;)))
  (core func $"#core-func29 indirect-wasi:http/types@0.2.0-[method]future-incoming-response.get" (@name "indirect-wasi:http/types@0.2.0-[method]future-incoming-response.get") (;29;) (canon lower (func $"[method]future-incoming-response.get") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]fields.append" (func $"[method]fields.append" (;11;)))
  (core func $"#core-func30 indirect-wasi:http/types@0.2.0-[method]fields.append" (@name "indirect-wasi:http/types@0.2.0-[method]fields.append") (;30;) (canon lower (func $"[method]fields.append") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-response.body" (func $"[method]outgoing-response.body" (;12;)))
  (core func $"#core-func31 indirect-wasi:http/types@0.2.0-[method]outgoing-response.body" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-response.body") (;31;) (canon lower (func $"[method]outgoing-response.body") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-body.write" (func $"[method]outgoing-body.write" (;13;)))
  (core func $"#core-func32 indirect-wasi:http/types@0.2.0-[method]outgoing-body.write" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-body.write") (;32;) (canon lower (func $"[method]outgoing-body.write") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[static]response-outparam.set" (func $"[static]response-outparam.set" (;14;)))
  (core func $"#core-func33 indirect-wasi:http/types@0.2.0-[static]response-outparam.set" (@name "indirect-wasi:http/types@0.2.0-[static]response-outparam.set") (;33;) (canon lower (func $"[static]response-outparam.set") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]incoming-response.consume" (func $"[method]incoming-response.consume" (;15;)))
  (core func $"#core-func34 indirect-wasi:http/types@0.2.0-[method]incoming-response.consume" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-response.consume") (;34;) (canon lower (func $"[method]incoming-response.consume") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[method]incoming-body.stream" (func $"[method]incoming-body.stream" (;16;)))
  (core func $"#core-func35 indirect-wasi:http/types@0.2.0-[method]incoming-body.stream" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-body.stream") (;35;) (canon lower (func $"[method]incoming-body.stream") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[static]outgoing-body.finish" (func $"[static]outgoing-body.finish" (;17;)))
  (core func $"#core-func36 indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish" (@name "indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish") (;36;) (canon lower (func $"[static]outgoing-body.finish") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:http/outgoing-handler@0.2.0 "handle" (func $handle (;18;)))
  (core func $"#core-func37 indirect-wasi:http/outgoing-handler@0.2.0-handle" (@name "indirect-wasi:http/outgoing-handler@0.2.0-handle") (;37;) (canon lower (func $handle) (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.check-write" (func $"[method]output-stream.check-write" (;19;)))
  (core func $"#core-func38 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write") (;38;) (canon lower (func $"[method]output-stream.check-write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.blocking-flush" (func $"[method]output-stream.blocking-flush" (;20;)))
  (core func $"#core-func39 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush") (;39;) (canon lower (func $"[method]output-stream.blocking-flush") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.write" (func $"[method]output-stream.write" (;21;)))
  (core func $"#core-func40 indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.write") (;40;) (canon lower (func $"[method]output-stream.write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]input-stream.blocking-read" (func $"[method]input-stream.blocking-read" (;22;)))
  (core func $"#core-func41 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (@name "indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read") (;41;) (canon lower (func $"[method]input-stream.blocking-read") (memory $memory) (realloc $cabi_realloc)))
  (core instance $actual (;6;)
    (export "0" (func $"#core-func25 indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query"))
    (export "1" (func $"#core-func26 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-scheme"))
    (export "2" (func $"#core-func27 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-authority"))
    (export "3" (func $"#core-func28 indirect-wasi:http/types@0.2.0-[method]outgoing-request.set-path-with-query"))
    (export "4" (func $"#core-func29 indirect-wasi:http/types@0.2.0-[method]future-incoming-response.get"))
    (export "5" (func $"#core-func30 indirect-wasi:http/types@0.2.0-[method]fields.append"))
    (export "6" (func $"#core-func31 indirect-wasi:http/types@0.2.0-[method]outgoing-response.body"))
    (export "7" (func $"#core-func32 indirect-wasi:http/types@0.2.0-[method]outgoing-body.write"))
    (export "8" (func $"#core-func33 indirect-wasi:http/types@0.2.0-[static]response-outparam.set"))
    (export "9" (func $"#core-func34 indirect-wasi:http/types@0.2.0-[method]incoming-response.consume"))
    (export "10" (func $"#core-func35 indirect-wasi:http/types@0.2.0-[method]incoming-body.stream"))
    (export "11" (func $"#core-func36 indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish"))
    (export "12" (func $"#core-func37 indirect-wasi:http/outgoing-handler@0.2.0-handle"))
    (export "13" (func $"#core-func38 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "14" (func $"#core-func39 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "15" (func $"#core-func40 indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "16" (func $"#core-func41 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
  )
  (core instance $fixup (;7;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;16;) (own $incoming-request))
  (type (;17;) (own $response-outparam))
  (type (;18;) (func (param "request" 16) (param "response-out" 17)))
  (alias core export $main "wasi:http/incoming-handler@0.2.0#handle" (core func $wasi:http/incoming-handler@0.2.0#handle (;42;)))
  (func $"#func23 handle" (@name "handle") (;23;) (type 18) (canon lift (core func $wasi:http/incoming-handler@0.2.0#handle)))
  (component $wasi:http/incoming-handler@0.2.0-shim-component (;0;)
    (import "import-type-incoming-request" (type (;0;) (sub resource)))
    (import "import-type-response-outparam" (type (;1;) (sub resource)))
    (import "import-type-incoming-request0" (type (;2;) (eq 0)))
    (type (;3;) (own 2))
    (import "import-type-response-outparam0" (type (;4;) (eq 1)))
    (type (;5;) (own 4))
    (type (;6;) (func (param "request" 3) (param "response-out" 5)))
    (import "import-func-handle" (func (;0;) (type 6)))
    (export (;7;) "incoming-request" (type 0))
    (export (;8;) "response-outparam" (type 1))
    (type (;9;) (own 7))
    (type (;10;) (own 8))
    (type (;11;) (func (param "request" 9) (param "response-out" 10)))
    (export (;1;) "handle" (func 0) (func (type 11)))
  )
  (instance $wasi:http/incoming-handler@0.2.0-shim-instance (;5;) (instantiate $wasi:http/incoming-handler@0.2.0-shim-component
      (with "import-func-handle" (func $"#func23 handle"))
      (with "import-type-incoming-request" (type $incoming-request))
      (with "import-type-response-outparam" (type $response-outparam))
      (with "import-type-incoming-request0" (type $incoming-request))
      (with "import-type-response-outparam0" (type $response-outparam))
    )
  )
  (export $wasi:http/incoming-handler@0.2.0 (;6;) "wasi:http/incoming-handler@0.2.0" (instance $wasi:http/incoming-handler@0.2.0-shim-instance))
  (@producers
    (processed-by "wit-component" "0.259.0")
  )
)

