# Finds or fetches lockgate.exe, verifies its bytes, and runs it: `& install.ps1 <lockgate's arguments>`, PowerShell 7.
# `--add-to-path` as the first argument also appends the binary's directory to GITHUB_PATH. Sources, variables, messages
# and exit codes are those of install.sh: README.md. A change of one script is a change of both.
#
# UNTRIED: the authors had no Windows machine. This file was parsed and read, never run.
#
# Windows has no `exec`: the binary runs as a child, and its exit code is handed on. There is no `param` block, because
# PowerShell would then read lockgate's own flags as parameters.
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
Set-StrictMode -Version 3.0

$other = 'pass `binary-path` and `binary-sha256`'
$mirror = "set LOCKGATE_DOWNLOAD_BASE to a mirror that answers, or $other"

# Makes text from outside safe to print: no control character, no `##[`, which the runner obeys anywhere in a line.
function Format-Text([string] $text) {
    return ($text -replace '[\x00-\x1f\x7f-\x9f]', '?').Replace('##[', '## [')
}

function Write-Message([string] $level, [string] $what, [string] $hint) {
    $what = Format-Text $what
    $hint = Format-Text $hint
    [Console]::Error.WriteLine("${level}: $what")
    if ($hint -ne '') { [Console]::Error.WriteLine("`nhint: $hint") }
    if ($env:GITHUB_ACTIONS -ne 'true') { return }
    $line = $what
    if ($hint -ne '') { $line = "$what; hint: $hint" }
    [Console]::Error.WriteLine("::$level title=lockgate::$($line.Replace('%', '%25'))")
}

# Ends the script: code 2 where the configuration is wrong, 3 where the service or the bytes are.
function Stop-Install([int] $code, [string] $what, [string] $hint) {
    $refusal = [Exception]::new($what)
    $refusal.Data['code'] = $code
    $refusal.Data['hint'] = $hint
    throw $refusal
}

function Get-Digest([string] $file) {
    return (Get-FileHash -LiteralPath $file -Algorithm SHA256).Hash.ToLowerInvariant()
}

# Copies the file into the private directory and gives the digest of the copy.
function Copy-Binary([string] $file) {
    Copy-Item -LiteralPath $file -Destination $binary -Force
    return Get-Digest $binary
}

# The digest of a name in checksums.txt, or nothing; two are as good as none.
function Get-Recorded([string] $name) {
    $found = @($records | Where-Object { $_ -cmatch '^[0-9a-f]{64}  ' -and $_.Substring(66) -ceq $name })
    if ($found.Count -ne 1) { return '' }
    return $found[0].Substring(0, 64)
}

# An address may be https, or this very machine; no user name, no odd character.
function Test-Address([string] $address) {
    if ($address -match '[\s\x00-\x1f\x7f"''\\]') { return $false }
    [Uri] $uri = $null
    if (-not [Uri]::TryCreate($address, [UriKind]::Absolute, [ref] $uri)) { return $false }
    if ($uri.UserInfo -ne '' -or $uri.Host -eq '') { return $false }
    if ($uri.Scheme -eq 'https') { return $true }
    return $uri.Scheme -eq 'http' -and @('localhost', '127.0.0.1', '[::1]') -contains $uri.Host
}

# One attempt: follows at most five redirects, writes the body to the file, and gives the status; 0 is no whole answer.
function Invoke-Attempt([System.Net.Http.HttpClient] $client, [string] $address, [string] $file, [TimeSpan] $left) {
    $limit = [System.Threading.CancellationTokenSource]::new($left)
    for ($step = 0; $step -le 5; $step++) {
        if (-not (Test-Address $address)) {
            $shown = ($address -split '[?#]')[0]
            $what = "the release server redirects to ``$shown``, which is neither https nor this machine"
            Stop-Install 3 $what $mirror
        }
        try {
            $mode = [System.Net.Http.HttpCompletionOption]::ResponseHeadersRead
            $answer = $client.GetAsync($address, $mode, $limit.Token).GetAwaiter().GetResult()
            $status = [int] $answer.StatusCode
            if ($status -in 301, 302, 303, 307, 308 -and $null -ne $answer.Headers.Location) {
                $address = [Uri]::new([Uri] $address, $answer.Headers.Location).AbsoluteUri
                continue
            }
            if ($status -ne 200) { return @{ Status = $status; Cause = "HTTP status $status" } }
            $body = [System.IO.File]::Create($file)
            try {
                $null = $answer.Content.CopyToAsync($body, $limit.Token).GetAwaiter().GetResult()
            } finally {
                $body.Dispose()
            }
            return @{ Status = 200; Cause = '' }
        } catch {
            return @{ Status = 0; Cause = $_.Exception.GetBaseException().Message }
        }
    }
    Stop-Install 3 'the release server redirects more than 5 times' $mirror
}

function Save-Archive([string] $address, [string] $file) {
    $seconds = if ($env:LOCKGATE_DOWNLOAD_TIMEOUT) { $env:LOCKGATE_DOWNLOAD_TIMEOUT } else { '120' }
    if ($seconds -cnotmatch '^[1-9][0-9]{0,3}$') {
        $what = "``LOCKGATE_DOWNLOAD_TIMEOUT`` is not a time: ``$seconds``"
        Stop-Install 2 $what 'write seconds, 1 to 9999'
    }
    $handler = [System.Net.Http.SocketsHttpHandler]::new()
    $handler.AllowAutoRedirect = $false
    $handler.ConnectTimeout = [TimeSpan]::FromSeconds(15)
    $client = [System.Net.Http.HttpClient]::new($handler)
    $client.Timeout = [System.Threading.Timeout]::InfiniteTimeSpan
    $client.DefaultRequestHeaders.UserAgent.ParseAdd('lockgate-install')
    $deadline = [DateTime]::UtcNow.AddSeconds([int] $seconds)
    foreach ($try in 1, 2, 3, 4, 5) {
        $left = $deadline - [DateTime]::UtcNow
        if ($left.TotalSeconds -lt 1) { $left = [TimeSpan]::FromSeconds(1) }
        $outcome = Invoke-Attempt $client $address $file $left
        if ($outcome.Status -eq 200) { return }
        if ($outcome.Status -notin 0, 408, 429 -and $outcome.Status -lt 500) {
            Stop-Install 3 "cannot download ``$address``: $($outcome.Cause)" $mirror
        }
        $pause = 1 -shl ($try - 1)
        if ($try -eq 5 -or [DateTime]::UtcNow.AddSeconds($pause) -ge $deadline) { break }
        Start-Sleep -Seconds $pause
    }
    Stop-Install 3 "cannot download ``$address``: $($outcome.Cause) (attempt $try)" $mirror
}

# Unpacks the one member that counts; its name is never used as a path.
function Expand-Member([string] $archive, [string] $name, [string] $file) {
    $zip = [System.IO.Compression.ZipFile]::OpenRead($archive)
    try {
        $found = @($zip.Entries | Where-Object { $_.FullName -ceq $name })
        if ($found.Count -ne 1) { throw "the archive holds $($found.Count) members ``$name``" }
        $from = $found[0].Open()
        $to = [System.IO.File]::Create($file)
        try { $from.CopyTo($to) } finally { $to.Dispose(); $from.Dispose() }
    } finally {
        $zip.Dispose()
    }
}

# Fills the tool cache: the binary by a rename, then the marker.
function Save-Binary([string] $cached) {
    try {
        $null = New-Item -ItemType Directory -Path $cached -Force
        $new = Join-Path $cached ('.lockgate.' + [Guid]::NewGuid().ToString('N'))
        Copy-Item -LiteralPath $binary -Destination $new
        [System.IO.File]::Move($new, (Join-Path $cached 'lockgate.exe'), $true)
        [System.IO.File]::WriteAllText("$cached.complete", '')
    } catch {
        Write-Message 'notice' "cannot fill the tool cache: ``$cached``" ''
    }
}

# A fresh directory that only the current user may open.
function New-PrivateDirectory([string] $root) {
    $name = Join-Path $root ('lockgate.' + [Guid]::NewGuid().ToString('N'))
    try {
        $user = [System.Security.Principal.WindowsIdentity]::GetCurrent().User
        $rule = [System.Security.AccessControl.FileSystemAccessRule]::new(
            $user, 'FullControl', 'ContainerInherit, ObjectInherit', 'None', 'Allow')
        $rights = [System.Security.AccessControl.DirectorySecurity]::new()
        $rights.SetAccessRuleProtection($true, $false)
        $rights.AddAccessRule($rule)
        [System.IO.FileSystemAclExtensions]::Create([System.IO.DirectoryInfo]::new($name), $rights)
        return $name
    } catch {
        $hint = 'set RUNNER_TEMP to a directory that this user may write to'
        Stop-Install 3 "cannot make a directory in ``$root``" $hint
    }
}

# Puts the verified binary into the private directory.
function Install-Binary {
    $path = $env:LOCKGATE_BINARY_PATH
    $expected = "$env:LOCKGATE_BINARY_SHA256".ToLowerInvariant()
    $cached = ''
    if ($expected -ne '') {
        if ($expected -cnotmatch '^[0-9a-f]{64}$') {
            $what = "``binary-sha256`` is no SHA-256 digest: ``$expected``"
            Stop-Install 2 $what 'write its 64 hexadecimal digits'
        }
        if (-not $path) {
            Stop-Install 2 '`binary-sha256` is given without `binary-path`' 'pass both, or neither'
        }
    } else {
        # Windows on ARM runs the x86-64 binary.
        $machine = [System.Runtime.InteropServices.RuntimeInformation]::OSArchitecture
        if (-not $IsWindows -or $machine -notin 'X64', 'Arm64') {
            Stop-Install 2 "no lockgate is released for ``Windows $machine``" "$other; elsewhere run install.sh"
        }
        $checksums = Join-Path $PSScriptRoot 'checksums.txt'
        if (-not (Test-Path -LiteralPath $checksums -PathType Leaf)) {
            Stop-Install 2 "cannot read ``$checksums``" 'use the folder `actions` as it was released'
        }
        $records = [System.IO.File]::ReadAllLines($checksums)
        $version = if ($records.Count -gt 0) { $records[0] -creplace '^# lockgate ', '' } else { '' }
        $name = "lockgate-$version-x86_64-pc-windows-msvc"
        $expected = Get-Recorded "$name/lockgate.exe"
        $archived = Get-Recorded "$name.zip"
        if ($expected -eq '' -or $archived -eq '') {
            Stop-Install 2 "no checksum of ``$name`` in checksums.txt" $other
        }
        if ($env:RUNNER_TOOL_CACHE) {
            $cached = [System.IO.Path]::Combine($env:RUNNER_TOOL_CACHE, 'lockgate', $version, 'x64')
        }
    }

    if ($path) {
        if (-not (Test-Path -LiteralPath $path -PathType Leaf)) {
            Stop-Install 2 "``binary-path`` is not a file: ``$path``" 'give the path of a lockgate binary'
        }
        $actual = Copy-Binary $path
        if ($actual -cne $expected) {
            $hint = 'if you trust the file, pass its digest as `binary-sha256`'
            Stop-Install 3 "``$path`` has SHA-256 ``$actual``, not ``$expected``" $hint
        }
        return
    }
    if ($cached -ne '' -and (Test-Path -LiteralPath "$cached.complete" -PathType Leaf)) {
        $file = Join-Path $cached 'lockgate.exe'
        if ((Test-Path -LiteralPath $file -PathType Leaf) -and (Copy-Binary $file) -ceq $expected) { return }
        Write-Message 'warning' "not the released bytes, fetching them again: ``$file``" ''
    }
    $base = if ($env:LOCKGATE_DOWNLOAD_BASE) { $env:LOCKGATE_DOWNLOAD_BASE } else {
        'https://github.com/lockgate/lockgate/releases/download'
    }
    if ($base -match '[?#]' -or -not (Test-Address $base)) {
        $hint = 'write https://<host>/<path>, without user name or query; plain http only for localhost'
        Stop-Install 2 '`LOCKGATE_DOWNLOAD_BASE` cannot be used' $hint
    }
    $url = "$($base.TrimEnd('/'))/v$version/$name.zip"
    $archive = Join-Path $private 'archive'
    Save-Archive $url $archive
    if ((Get-Digest $archive) -cne $archived) {
        Stop-Install 3 "not the released bytes: ``$url``" $mirror
    }
    $member = Join-Path $private 'member'
    try { Expand-Member $archive "$name/lockgate.exe" $member } catch {
        Write-Message 'warning' "zip: $($_.Exception.Message)" ''
    }
    if (-not (Test-Path -LiteralPath $member) -or (Copy-Binary $member) -cne $expected) {
        Stop-Install 3 "not the released bytes: ``lockgate.exe`` in ``$url``" $other
    }
    if ($cached -ne '') { Save-Binary $cached }
    Remove-Item -LiteralPath $archive, $member
}

$rest = @($args)
$private = ''
$ready = $false
try {
    $add = $rest.Count -gt 0 -and $rest[0] -ceq '--add-to-path'
    if ($add) {
        if (-not $env:GITHUB_PATH) {
            Stop-Install 2 '`--add-to-path` needs GITHUB_PATH' 'run it in a step of a workflow'
        }
        $rest = @($rest | Select-Object -Skip 1)
    }
    $root = if ($env:RUNNER_TEMP) { $env:RUNNER_TEMP } else { [System.IO.Path]::GetTempPath() }
    if (-not [System.IO.Path]::IsPathFullyQualified($root)) {
        Stop-Install 2 "not an absolute path: ``$root``" 'set RUNNER_TEMP or TMPDIR'
    }
    $private = New-PrivateDirectory $root
    $binary = Join-Path $private 'lockgate.exe'
    Install-Binary
    if ($add) { [System.IO.File]::AppendAllText($env:GITHUB_PATH, "$private`n") }
    $ready = $true
} catch {
    $code = $_.Exception.Data['code']
    $hint = $_.Exception.Data['hint']
    if ($null -eq $code) { $code = 3; $hint = $other }
    Write-Message 'error' $_.Exception.Message $hint
    exit $code
} finally {
    if (-not $ready -and $private -ne '') { Remove-Item -LiteralPath $private -Recurse -Force -ErrorAction Ignore }
}
if ($add -and $rest.Count -eq 0) { exit 0 }
& $binary @rest
exit $LASTEXITCODE
