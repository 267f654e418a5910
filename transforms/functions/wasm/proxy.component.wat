;; c/proxy.c as a component: what `jco print` says of it. The tests run it.
(component
  (type $ty-wasi:io/error@0.2.0 (;0;)
    (instance
      (export (;0;) "error" (type (sub resource)))
    )
  )
  (import "wasi:io/error@0.2.0" (instance $wasi:io/error@0.2.0 (;0;) (type $ty-wasi:io/error@0.2.0)))
  (alias export $wasi:io/error@0.2.0 "error" (type $error (;1;)))
  (type $ty-wasi:io/streams@0.2.0 (;2;)
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
  (import "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0 (;1;) (type $ty-wasi:io/streams@0.2.0)))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $output-stream (;3;)))
  (alias export $wasi:io/streams@0.2.0 "input-stream" (type $input-stream (;4;)))
  (type $ty-wasi:http/types@0.2.0 (;5;)
    (instance
      (export (;0;) "incoming-request" (type (sub resource)))
      (export (;1;) "fields" (type (sub resource)))
      (type (;2;) string)
      (export (;3;) "field-key" (type (eq 2)))
      (export (;4;) "field-name" (type (eq 3)))
      (type (;5;) (list u8))
      (export (;6;) "field-value" (type (eq 5)))
      (type (;7;) (variant (case "invalid-syntax") (case "forbidden") (case "immutable")))
      (export (;8;) "header-error" (type (eq 7)))
      (export (;9;) "headers" (type (eq 1)))
      (export (;10;) "outgoing-response" (type (sub resource)))
      (type (;11;) u16)
      (export (;12;) "status-code" (type (eq 11)))
      (export (;13;) "outgoing-body" (type (sub resource)))
      (alias outer 1 $output-stream (type (;14;)))
      (export (;15;) "output-stream" (type (eq 14)))
      (export (;16;) "response-outparam" (type (sub resource)))
      (type (;17;) (option string))
      (type (;18;) (option u16))
      (type (;19;) (record (field "rcode" 17) (field "info-code" 18)))
      (export (;20;) "DNS-error-payload" (type (eq 19)))
      (type (;21;) (option u8))
      (type (;22;) (record (field "alert-id" 21) (field "alert-message" 17)))
      (export (;23;) "TLS-alert-received-payload" (type (eq 22)))
      (type (;24;) (option u32))
      (type (;25;) (record (field "field-name" 17) (field "field-size" 24)))
      (export (;26;) "field-size-payload" (type (eq 25)))
      (type (;27;) (option u64))
      (type (;28;) (option 26))
      (type (;29;) (variant (case "DNS-timeout") (case "DNS-error" 20) (case "destination-not-found") (case "destination-unavailable") (case "destination-IP-prohibited") (case "destination-IP-unroutable") (case "connection-refused") (case "connection-terminated") (case "connection-timeout") (case "connection-read-timeout") (case "connection-write-timeout") (case "connection-limit-reached") (case "TLS-protocol-error") (case "TLS-certificate-error") (case "TLS-alert-received" 23) (case "HTTP-request-denied") (case "HTTP-request-length-required") (case "HTTP-request-body-size" 27) (case "HTTP-request-method-invalid") (case "HTTP-request-URI-invalid") (case "HTTP-request-URI-too-long") (case "HTTP-request-header-section-size" 24) (case "HTTP-request-header-size" 28) (case "HTTP-request-trailer-section-size" 24) (case "HTTP-request-trailer-size" 26) (case "HTTP-response-incomplete") (case "HTTP-response-header-section-size" 24) (case "HTTP-response-header-size" 26) (case "HTTP-response-body-size" 27) (case "HTTP-response-trailer-section-size" 24) (case "HTTP-response-trailer-size" 26) (case "HTTP-response-transfer-coding" 17) (case "HTTP-response-content-coding" 17) (case "HTTP-response-timeout") (case "HTTP-upgrade-failed") (case "HTTP-protocol-error") (case "loop-detected") (case "configuration-error") (case "internal-error" 17)))
      (export (;30;) "error-code" (type (eq 29)))
      (export (;31;) "incoming-body" (type (sub resource)))
      (alias outer 1 $input-stream (type (;32;)))
      (export (;33;) "input-stream" (type (eq 32)))
      (export (;34;) "trailers" (type (eq 1)))
      (type (;35;) (own 1))
      (type (;36;) (func (result 35)))
      (export (;0;) "[constructor]fields" (func (type 36)))
      (type (;37;) (borrow 1))
      (type (;38;) (result (error 8)))
      (type (;39;) (func (param "self" 37) (param "name" 4) (param "value" 6) (result 38)))
      (export (;1;) "[method]fields.append" (func (type 39)))
      (type (;40;) (borrow 0))
      (type (;41;) (func (param "self" 40) (result 17)))
      (export (;2;) "[method]incoming-request.path-with-query" (func (type 41)))
      (type (;42;) (own 31))
      (type (;43;) (result 42))
      (type (;44;) (func (param "self" 40) (result 43)))
      (export (;3;) "[method]incoming-request.consume" (func (type 44)))
      (type (;45;) (own 16))
      (type (;46;) (own 10))
      (type (;47;) (result 46 (error 30)))
      (type (;48;) (func (param "param" 45) (param "response" 47)))
      (export (;4;) "[static]response-outparam.set" (func (type 48)))
      (type (;49;) (borrow 31))
      (type (;50;) (own 33))
      (type (;51;) (result 50))
      (type (;52;) (func (param "self" 49) (result 51)))
      (export (;5;) "[method]incoming-body.stream" (func (type 52)))
      (type (;53;) (own 9))
      (type (;54;) (func (param "headers" 53) (result 46)))
      (export (;6;) "[constructor]outgoing-response" (func (type 54)))
      (type (;55;) (borrow 10))
      (type (;56;) (result))
      (type (;57;) (func (param "self" 55) (param "status-code" 12) (result 56)))
      (export (;7;) "[method]outgoing-response.set-status-code" (func (type 57)))
      (type (;58;) (own 13))
      (type (;59;) (result 58))
      (type (;60;) (func (param "self" 55) (result 59)))
      (export (;8;) "[method]outgoing-response.body" (func (type 60)))
      (type (;61;) (borrow 13))
      (type (;62;) (own 15))
      (type (;63;) (result 62))
      (type (;64;) (func (param "self" 61) (result 63)))
      (export (;9;) "[method]outgoing-body.write" (func (type 64)))
      (type (;65;) (own 34))
      (type (;66;) (option 65))
      (type (;67;) (result (error 30)))
      (type (;68;) (func (param "this" 58) (param "trailers" 66) (result 67)))
      (export (;10;) "[static]outgoing-body.finish" (func (type 68)))
    )
  )
  (import "wasi:http/types@0.2.0" (instance $wasi:http/types@0.2.0 (;2;) (type $ty-wasi:http/types@0.2.0)))
  (core module $main (;0;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (result i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;3;) (func (param i32) (result i32)))
    (type (;4;) (func (param i32 i32) (result i32)))
    (type (;5;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;6;) (func (param i32 i32 i32 i32)))
    (type (;7;) (func (param i32 i64 i32)))
    (type (;8;) (func (param i32)))
    (type (;9;) (func (param i32 i32 i32 i32) (result i32)))
    (import "wasi:http/types@0.2.0" "[method]incoming-request.path-with-query" (func (;0;) (type 0)))
    (import "wasi:http/types@0.2.0" "[constructor]fields" (func (;1;) (type 1)))
    (import "wasi:http/types@0.2.0" "[method]fields.append" (func (;2;) (type 2)))
    (import "wasi:http/types@0.2.0" "[constructor]outgoing-response" (func (;3;) (type 3)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.set-status-code" (func (;4;) (type 4)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-response.body" (func (;5;) (type 0)))
    (import "wasi:http/types@0.2.0" "[method]outgoing-body.write" (func (;6;) (type 0)))
    (import "wasi:http/types@0.2.0" "[static]response-outparam.set" (func (;7;) (type 5)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.check-write" (func (;8;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-flush" (func (;9;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write" (func (;10;) (type 6)))
    (import "wasi:http/types@0.2.0" "[method]incoming-request.consume" (func (;11;) (type 0)))
    (import "wasi:http/types@0.2.0" "[method]incoming-body.stream" (func (;12;) (type 0)))
    (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read" (func (;13;) (type 7)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]input-stream" (func (;14;) (type 8)))
    (import "wasi:http/types@0.2.0" "[resource-drop]incoming-body" (func (;15;) (type 8)))
    (import "wasi:io/streams@0.2.0" "[resource-drop]output-stream" (func (;16;) (type 8)))
    (import "wasi:http/types@0.2.0" "[static]outgoing-body.finish" (func (;17;) (type 6)))
    (import "wasi:http/types@0.2.0" "[resource-drop]incoming-request" (func (;18;) (type 8)))
    (table (;0;) 1 1 funcref)
    (memory (;0;) 4)
    (global (;0;) (mut i32) i32.const 230512)
    (export "memory" (memory 0))
    (export "cabi_realloc" (func 19))
    (export "wasi:http/incoming-handler@0.2.0#handle" (func 20))
    (func (;19;) (type 9) (param i32 i32 i32 i32) (result i32)
      i32.const 0
      local.get 2
      i32.const 0
      i32.load offset=1120
      i32.add
      i32.const -1
      i32.add
      i32.const 0
      local.get 2
      i32.sub
      i32.and
      local.tee 2
      i32.store offset=1120
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
      i32.store offset=1120
      local.get 2
      i32.const 1136
      i32.add
    )
    (func (;20;) (type 0) (param i32 i32)
      (local i32 i32 i32 i32 i32 i32 i64 i32 i32 i32)
      global.get 0
      i32.const 112
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
            local.get 2
            i32.load8_u offset=32
            i32.eqz
            br_if 0 (;@3;)
            local.get 2
            i32.load offset=40
            i32.const 1
            i32.gt_u
            br_if 1 (;@2;)
          end
          i32.const 0
          local.set 3
          call 1
          local.set 4
          i32.const 0
          local.set 5
          br 1 (;@1;)
        end
        local.get 2
        i32.load offset=36
        i32.load8_s offset=1
        local.set 6
        i32.const 101
        local.set 5
        i32.const 0
        local.set 3
        call 1
        local.set 4
        block ;; label = @2
          local.get 6
          i32.const 101
          i32.eq
          br_if 0 (;@2;)
          local.get 6
          local.set 5
          br 1 (;@1;)
        end
        local.get 4
        i32.const 1085
        i32.const 20
        i32.const 1049
        i32.const 8
        local.get 2
        i32.const 48
        i32.add
        call 2
        i32.const 1
        local.set 3
      end
      local.get 4
      i32.const 1072
      i32.const 12
      i32.const 1106
      i32.const 11
      local.get 2
      i32.const 48
      i32.add
      call 2
      local.get 4
      i32.const 1030
      i32.const 18
      i32.const 1024
      i32.const 5
      local.get 2
      i32.const 48
      i32.add
      call 2
      local.get 4
      call 3
      local.set 6
      block ;; label = @1
        local.get 3
        i32.eqz
        br_if 0 (;@1;)
        local.get 6
        i32.const 409
        call 4
        drop
      end
      local.get 6
      local.get 2
      i32.const 24
      i32.add
      call 5
      local.get 2
      i32.load offset=28
      local.tee 7
      local.get 2
      i32.const 24
      i32.add
      call 6
      local.get 2
      i32.load offset=28
      local.set 4
      local.get 1
      i32.const 0
      local.get 6
      i32.const 0
      i64.const 0
      i32.const 0
      i32.const 0
      i32.const 0
      i32.const 0
      call 7
      block ;; label = @1
        block ;; label = @2
          block ;; label = @3
            local.get 3
            i32.eqz
            br_if 0 (;@3;)
            i32.const 1058
            local.set 3
            i32.const 13
            local.set 6
            loop ;; label = @4
              local.get 6
              i32.eqz
              br_if 2 (;@2;)
              local.get 4
              local.get 2
              i32.const 48
              i32.add
              call 8
              local.get 2
              i32.load8_u offset=48
              br_if 2 (;@2;)
              block ;; label = @5
                loop ;; label = @6
                  local.get 2
                  i64.load offset=56
                  local.tee 8
                  i64.const 0
                  i64.ne
                  br_if 1 (;@5;)
                  local.get 4
                  local.get 2
                  i32.const 48
                  i32.add
                  call 9
                  local.get 4
                  local.get 2
                  i32.const 48
                  i32.add
                  call 8
                  local.get 2
                  i32.load8_u offset=48
                  i32.eqz
                  br_if 0 (;@6;)
                  br 4 (;@2;)
                end
              end
              local.get 4
              local.get 3
              local.get 6
              local.get 8
              i32.wrap_i64
              local.get 8
              local.get 6
              i64.extend_i32_u
              i64.gt_u
              select
              local.tee 1
              local.get 2
              i32.const 48
              i32.add
              call 10
              local.get 6
              local.get 1
              i32.sub
              local.set 6
              local.get 3
              local.get 1
              i32.add
              local.set 3
              local.get 2
              i32.load8_u offset=48
              i32.eqz
              br_if 0 (;@4;)
              br 2 (;@2;)
            end
          end
          local.get 0
          local.get 2
          i32.const 24
          i32.add
          call 11
          local.get 2
          i32.load offset=28
          local.tee 9
          local.get 2
          i32.const 24
          i32.add
          call 12
          i32.const 0
          i32.const 0
          i32.store offset=1120
          local.get 2
          i32.load offset=28
          local.tee 10
          i64.const 65536
          local.get 2
          i32.const 8
          i32.add
          call 13
          block ;; label = @3
            local.get 2
            i32.load8_u offset=8
            br_if 0 (;@3;)
            local.get 5
            i32.const 120
            i32.eq
            local.set 11
            loop ;; label = @4
              i32.const 0
              local.set 3
              block ;; label = @5
                local.get 2
                i32.load offset=16
                local.tee 1
                i32.eqz
                br_if 0 (;@5;)
                i32.const 0
                local.set 6
                local.get 1
                local.set 3
                loop ;; label = @6
                  block ;; label = @7
                    local.get 2
                    i32.load offset=12
                    local.get 6
                    i32.add
                    local.tee 1
                    i32.load8_u
                    local.tee 5
                    i32.const -97
                    i32.add
                    i32.const 255
                    i32.and
                    i32.const 25
                    i32.gt_u
                    br_if 0 (;@7;)
                    local.get 1
                    local.get 5
                    i32.const -32
                    i32.add
                    i32.store8
                    local.get 2
                    i32.load offset=16
                    local.set 3
                  end
                  local.get 6
                  i32.const 1
                  i32.add
                  local.tee 6
                  local.get 3
                  i32.lt_u
                  br_if 0 (;@6;)
                end
              end
              local.get 2
              i32.load offset=12
              local.set 6
              block ;; label = @5
                loop ;; label = @6
                  local.get 3
                  i32.eqz
                  br_if 1 (;@5;)
                  local.get 4
                  local.get 2
                  i32.const 48
                  i32.add
                  call 8
                  local.get 2
                  i32.load8_u offset=48
                  br_if 1 (;@5;)
                  block ;; label = @7
                    loop ;; label = @8
                      local.get 2
                      i64.load offset=56
                      local.tee 8
                      i64.const 0
                      i64.ne
                      br_if 1 (;@7;)
                      local.get 4
                      local.get 2
                      i32.const 48
                      i32.add
                      call 9
                      local.get 4
                      local.get 2
                      i32.const 48
                      i32.add
                      call 8
                      local.get 2
                      i32.load8_u offset=48
                      i32.eqz
                      br_if 0 (;@8;)
                      br 3 (;@5;)
                    end
                  end
                  local.get 4
                  local.get 6
                  local.get 3
                  local.get 8
                  i32.wrap_i64
                  local.get 8
                  local.get 3
                  i64.extend_i32_u
                  i64.gt_u
                  select
                  local.tee 1
                  local.get 2
                  i32.const 48
                  i32.add
                  call 10
                  local.get 3
                  local.get 1
                  i32.sub
                  local.set 3
                  local.get 6
                  local.get 1
                  i32.add
                  local.set 6
                  local.get 2
                  i32.load8_u offset=48
                  i32.eqz
                  br_if 0 (;@6;)
                end
              end
              local.get 11
              br_if 3 (;@1;)
              i32.const 0
              i32.const 0
              i32.store offset=1120
              local.get 10
              i64.const 65536
              local.get 2
              i32.const 8
              i32.add
              call 13
              local.get 2
              i32.load8_u offset=8
              i32.eqz
              br_if 0 (;@4;)
            end
          end
          local.get 10
          call 14
          local.get 9
          call 15
        end
        local.get 4
        call 16
        local.get 7
        i32.const 0
        i32.const 0
        local.get 2
        i32.const 48
        i32.add
        call 17
        local.get 0
        call 18
        local.get 2
        i32.const 112
        i32.add
        global.set 0
        return
      end
      unreachable
      unreachable
    )
    (data (;0;) (i32.const 1024) "proxy\00x-amz-meta-made-by\00NotToday\00come tomorrow\00content-type\00x-amz-fwd-error-code\00text/x-loud\00")
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core module $wit-component-shim-module (;1;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32)))
    (type (;4;) (func (param i32 i64 i32)))
    (table (;0;) 12 12 funcref)
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
    (export "$imports" (table 0))
    (func (;0;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 0
      call_indirect (type 0)
    )
    (func (;1;) (type 1) (param i32 i32 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      i32.const 1
      call_indirect (type 1)
    )
    (func (;2;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 2
      call_indirect (type 0)
    )
    (func (;3;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 3
      call_indirect (type 0)
    )
    (func (;4;) (type 2) (param i32 i32 i32 i32 i64 i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      local.get 4
      local.get 5
      local.get 6
      local.get 7
      local.get 8
      i32.const 4
      call_indirect (type 2)
    )
    (func (;5;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 5
      call_indirect (type 0)
    )
    (func (;6;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 6
      call_indirect (type 0)
    )
    (func (;7;) (type 3) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 7
      call_indirect (type 3)
    )
    (func (;8;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 8
      call_indirect (type 0)
    )
    (func (;9;) (type 0) (param i32 i32)
      local.get 0
      local.get 1
      i32.const 9
      call_indirect (type 0)
    )
    (func (;10;) (type 3) (param i32 i32 i32 i32)
      local.get 0
      local.get 1
      local.get 2
      local.get 3
      i32.const 10
      call_indirect (type 3)
    )
    (func (;11;) (type 4) (param i32 i64 i32)
      local.get 0
      local.get 1
      local.get 2
      i32.const 11
      call_indirect (type 4)
    )
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (core instance $wit-component-shim-instance (;0;) (instantiate $wit-component-shim-module))
  (alias export $wasi:http/types@0.2.0 "incoming-request" (type $incoming-request (;6;)))
  (alias export $wasi:http/types@0.2.0 "response-outparam" (type $response-outparam (;7;)))
  (alias core export $wit-component-shim-instance "0" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query" (;0;)))
  (alias export $wasi:http/types@0.2.0 "[constructor]fields" (func $"[constructor]fields" (;0;)))
  (core func $"[constructor]fields" (;1;) (canon lower (func $"[constructor]fields")))
  (alias core export $wit-component-shim-instance "1" (core func $"indirect-wasi:http/types@0.2.0-[method]fields.append" (;2;)))
  (alias export $wasi:http/types@0.2.0 "[constructor]outgoing-response" (func $"[constructor]outgoing-response" (;1;)))
  (core func $"[constructor]outgoing-response" (;3;) (canon lower (func $"[constructor]outgoing-response")))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-response.set-status-code" (func $"[method]outgoing-response.set-status-code" (;2;)))
  (core func $"[method]outgoing-response.set-status-code" (;4;) (canon lower (func $"[method]outgoing-response.set-status-code")))
  (alias core export $wit-component-shim-instance "2" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-response.body" (;5;)))
  (alias core export $wit-component-shim-instance "3" (core func $"indirect-wasi:http/types@0.2.0-[method]outgoing-body.write" (;6;)))
  (alias core export $wit-component-shim-instance "4" (core func $"indirect-wasi:http/types@0.2.0-[static]response-outparam.set" (;7;)))
  (alias core export $wit-component-shim-instance "5" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.consume" (;8;)))
  (alias core export $wit-component-shim-instance "6" (core func $"indirect-wasi:http/types@0.2.0-[method]incoming-body.stream" (;9;)))
  (alias export $wasi:http/types@0.2.0 "incoming-body" (type $incoming-body (;8;)))
  (core func $resource.drop (;10;) (canon resource.drop $incoming-body))
  (alias core export $wit-component-shim-instance "7" (core func $"indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish" (;11;)))
  (alias export $wasi:http/types@0.2.0 "incoming-request" (type $"#type9 incoming-request" (@name "incoming-request") (;9;)))
  (core func $"#core-func12 resource.drop" (@name "resource.drop") (;12;) (canon resource.drop $"#type9 incoming-request"))
  (core instance $wasi:http/types@0.2.0 (;1;)
    (export "[method]incoming-request.path-with-query" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query"))
    (export "[constructor]fields" (func $"[constructor]fields"))
    (export "[method]fields.append" (func $"indirect-wasi:http/types@0.2.0-[method]fields.append"))
    (export "[constructor]outgoing-response" (func $"[constructor]outgoing-response"))
    (export "[method]outgoing-response.set-status-code" (func $"[method]outgoing-response.set-status-code"))
    (export "[method]outgoing-response.body" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-response.body"))
    (export "[method]outgoing-body.write" (func $"indirect-wasi:http/types@0.2.0-[method]outgoing-body.write"))
    (export "[static]response-outparam.set" (func $"indirect-wasi:http/types@0.2.0-[static]response-outparam.set"))
    (export "[method]incoming-request.consume" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-request.consume"))
    (export "[method]incoming-body.stream" (func $"indirect-wasi:http/types@0.2.0-[method]incoming-body.stream"))
    (export "[resource-drop]incoming-body" (func $resource.drop))
    (export "[static]outgoing-body.finish" (func $"indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish"))
    (export "[resource-drop]incoming-request" (func $"#core-func12 resource.drop"))
  )
  (alias core export $wit-component-shim-instance "8" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (;13;)))
  (alias core export $wit-component-shim-instance "9" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (;14;)))
  (alias core export $wit-component-shim-instance "10" (core func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (;15;)))
  (alias core export $wit-component-shim-instance "11" (core func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (;16;)))
  (alias export $wasi:io/streams@0.2.0 "input-stream" (type $"#type10 input-stream" (@name "input-stream") (;10;)))
  (core func $"#core-func17 resource.drop" (@name "resource.drop") (;17;) (canon resource.drop $"#type10 input-stream"))
  (alias export $wasi:io/streams@0.2.0 "output-stream" (type $"#type11 output-stream" (@name "output-stream") (;11;)))
  (core func $"#core-func18 resource.drop" (@name "resource.drop") (;18;) (canon resource.drop $"#type11 output-stream"))
  (core instance $wasi:io/streams@0.2.0 (;2;)
    (export "[method]output-stream.check-write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "[method]output-stream.blocking-flush" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "[method]output-stream.write" (func $"indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "[method]input-stream.blocking-read" (func $"indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
    (export "[resource-drop]input-stream" (func $"#core-func17 resource.drop"))
    (export "[resource-drop]output-stream" (func $"#core-func18 resource.drop"))
  )
  (core instance $main (;3;) (instantiate $main
      (with "wasi:http/types@0.2.0" (instance $wasi:http/types@0.2.0))
      (with "wasi:io/streams@0.2.0" (instance $wasi:io/streams@0.2.0))
    )
  )
  (alias core export $main "memory" (core memory $memory (;0;)))
  (core module $wit-component-fixup (;2;)
    (type (;0;) (func (param i32 i32)))
    (type (;1;) (func (param i32 i32 i32 i32 i32 i32)))
    (type (;2;) (func (param i32 i32 i32 i32 i64 i32 i32 i32 i32)))
    (type (;3;) (func (param i32 i32 i32 i32)))
    (type (;4;) (func (param i32 i64 i32)))
    (import "actual" "0" (func (;0;) (type 0)))
    (import "actual" "1" (func (;1;) (type 1)))
    (import "actual" "2" (func (;2;) (type 0)))
    (import "actual" "3" (func (;3;) (type 0)))
    (import "actual" "4" (func (;4;) (type 2)))
    (import "actual" "5" (func (;5;) (type 0)))
    (import "actual" "6" (func (;6;) (type 0)))
    (import "actual" "7" (func (;7;) (type 3)))
    (import "actual" "8" (func (;8;) (type 0)))
    (import "actual" "9" (func (;9;) (type 0)))
    (import "actual" "10" (func (;10;) (type 3)))
    (import "actual" "11" (func (;11;) (type 4)))
    (import "shim" "$imports" (table (;0;) 12 12 funcref))
    (elem (;0;) (i32.const 0) func 0 1 2 3 4 5 6 7 8 9 10 11)
    (@producers
      (processed-by "wit-component" "0.259.0")
    )
  )
  (alias export $wasi:http/types@0.2.0 "[method]incoming-request.path-with-query" (func $"[method]incoming-request.path-with-query" (;3;)))
  (alias core export $main "cabi_realloc" (core func $cabi_realloc (;19;)))
  (core func $"#core-func20 indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query") (;20;) (canon lower (func $"[method]incoming-request.path-with-query") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]fields.append" (func $"[method]fields.append" (;4;)))
  (core func $"#core-func21 indirect-wasi:http/types@0.2.0-[method]fields.append" (@name "indirect-wasi:http/types@0.2.0-[method]fields.append") (;21;) (canon lower (func $"[method]fields.append") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-response.body" (func $"[method]outgoing-response.body" (;5;)))
  (core func $"#core-func22 indirect-wasi:http/types@0.2.0-[method]outgoing-response.body" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-response.body") (;22;) (canon lower (func $"[method]outgoing-response.body") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[method]outgoing-body.write" (func $"[method]outgoing-body.write" (;6;)))
  (core func $"#core-func23 indirect-wasi:http/types@0.2.0-[method]outgoing-body.write" (@name "indirect-wasi:http/types@0.2.0-[method]outgoing-body.write") (;23;) (canon lower (func $"[method]outgoing-body.write") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[static]response-outparam.set" (func $"[static]response-outparam.set" (;7;)))
  (core func $"#core-func24 indirect-wasi:http/types@0.2.0-[static]response-outparam.set" (@name "indirect-wasi:http/types@0.2.0-[static]response-outparam.set") (;24;) (canon lower (func $"[static]response-outparam.set") (memory $memory) string-encoding=utf8))
  (alias export $wasi:http/types@0.2.0 "[method]incoming-request.consume" (func $"[method]incoming-request.consume" (;8;)))
  (core func $"#core-func25 indirect-wasi:http/types@0.2.0-[method]incoming-request.consume" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-request.consume") (;25;) (canon lower (func $"[method]incoming-request.consume") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[method]incoming-body.stream" (func $"[method]incoming-body.stream" (;9;)))
  (core func $"#core-func26 indirect-wasi:http/types@0.2.0-[method]incoming-body.stream" (@name "indirect-wasi:http/types@0.2.0-[method]incoming-body.stream") (;26;) (canon lower (func $"[method]incoming-body.stream") (memory $memory)))
  (alias export $wasi:http/types@0.2.0 "[static]outgoing-body.finish" (func $"[static]outgoing-body.finish" (;10;)))
  (core func $"#core-func27 indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish" (@name "indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish") (;27;) (canon lower (func $"[static]outgoing-body.finish") (memory $memory) (realloc $cabi_realloc) string-encoding=utf8))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.check-write" (func $"[method]output-stream.check-write" (;11;)))
  (core func $"#core-func28 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write") (;28;) (canon lower (func $"[method]output-stream.check-write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.blocking-flush" (func $"[method]output-stream.blocking-flush" (;12;)))
  (core func $"#core-func29 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush") (;29;) (canon lower (func $"[method]output-stream.blocking-flush") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]output-stream.write" (func $"[method]output-stream.write" (;13;)))
  (core func $"#core-func30 indirect-wasi:io/streams@0.2.0-[method]output-stream.write" (@name "indirect-wasi:io/streams@0.2.0-[method]output-stream.write") (;30;) (canon lower (func $"[method]output-stream.write") (memory $memory)))
  (alias export $wasi:io/streams@0.2.0 "[method]input-stream.blocking-read" (func $"[method]input-stream.blocking-read" (;14;)))
  (core func $"#core-func31 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read" (@name "indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read") (;31;) (canon lower (func $"[method]input-stream.blocking-read") (memory $memory) (realloc $cabi_realloc)))
  (core instance $actual (;4;)
    (export "0" (func $"#core-func20 indirect-wasi:http/types@0.2.0-[method]incoming-request.path-with-query"))
    (export "1" (func $"#core-func21 indirect-wasi:http/types@0.2.0-[method]fields.append"))
    (export "2" (func $"#core-func22 indirect-wasi:http/types@0.2.0-[method]outgoing-response.body"))
    (export "3" (func $"#core-func23 indirect-wasi:http/types@0.2.0-[method]outgoing-body.write"))
    (export "4" (func $"#core-func24 indirect-wasi:http/types@0.2.0-[static]response-outparam.set"))
    (export "5" (func $"#core-func25 indirect-wasi:http/types@0.2.0-[method]incoming-request.consume"))
    (export "6" (func $"#core-func26 indirect-wasi:http/types@0.2.0-[method]incoming-body.stream"))
    (export "7" (func $"#core-func27 indirect-wasi:http/types@0.2.0-[static]outgoing-body.finish"))
    (export "8" (func $"#core-func28 indirect-wasi:io/streams@0.2.0-[method]output-stream.check-write"))
    (export "9" (func $"#core-func29 indirect-wasi:io/streams@0.2.0-[method]output-stream.blocking-flush"))
    (export "10" (func $"#core-func30 indirect-wasi:io/streams@0.2.0-[method]output-stream.write"))
    (export "11" (func $"#core-func31 indirect-wasi:io/streams@0.2.0-[method]input-stream.blocking-read"))
  )
  (core instance $fixup (;5;) (instantiate $wit-component-fixup
      (with "actual" (instance $actual))
      (with "shim" (instance $wit-component-shim-instance))
    )
  )
  (type (;12;) (own $incoming-request))
  (type (;13;) (own $response-outparam))
  (type (;14;) (func (param "request" 12) (param "response-out" 13)))
  (alias core export $main "wasi:http/incoming-handler@0.2.0#handle" (core func $wasi:http/incoming-handler@0.2.0#handle (;32;)))
  (func $handle (;15;) (type 14) (canon lift (core func $wasi:http/incoming-handler@0.2.0#handle)))
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
  (instance $wasi:http/incoming-handler@0.2.0-shim-instance (;3;) (instantiate $wasi:http/incoming-handler@0.2.0-shim-component
      (with "import-func-handle" (func $handle))
      (with "import-type-incoming-request" (type $incoming-request))
      (with "import-type-response-outparam" (type $response-outparam))
      (with "import-type-incoming-request0" (type $incoming-request))
      (with "import-type-response-outparam0" (type $response-outparam))
    )
  )
  (export $wasi:http/incoming-handler@0.2.0 (;4;) "wasi:http/incoming-handler@0.2.0" (instance $wasi:http/incoming-handler@0.2.0-shim-instance))
  (@producers
    (processed-by "wit-component" "0.259.0")
  )
)

