; The program that installs Command Center on Windows: it brings the wheel, and uv does the rest.
Target amd64-unicode
Name "Command Center"
OutFile "${OUT}"
RequestExecutionLevel user
InstallDir "$LOCALAPPDATA\Programs\Command Center"
ShowInstDetails show
!define LISTED "Software\Microsoft\Windows\CurrentVersion\Uninstall\CommandCenter"
!define NO_UV 2
!define UV_FAILED 3
Page instfiles
UninstPage instfiles

!include FileFunc.nsh

Var uv
Var extras

; Where winget and uv's own installer put it. Winget makes no link where it may not: then the folder
; of the package has it. The PATH is not asked: it lacks what winget has just brought, and Windows
; would look beside this program first, where a stranger's uv.exe may lie.
!macro FindUv
  StrCpy $uv "$LOCALAPPDATA\Microsoft\WinGet\Links\uv.exe"
  IfFileExists "$uv" uv_found
    StrCpy $uv "$PROGRAMFILES64\WinGet\Links\uv.exe"
  IfFileExists "$uv" uv_found
    FindFirst $0 $1 "$LOCALAPPDATA\Microsoft\WinGet\Packages\astral-sh.uv_*"
    FindClose $0
    StrCpy $uv "$LOCALAPPDATA\Microsoft\WinGet\Packages\$1\uv.exe"
  IfFileExists "$uv" uv_found
    StrCpy $uv "$PROFILE\.local\bin\uv.exe"
  IfFileExists "$uv" uv_found
    SetErrorLevel ${NO_UV}
    Abort "uv was not found. Type: winget install --exact --id astral-sh.uv"
  uv_found:
!macroend

Section
  !insertmacro FindUv
  SetOutPath "$INSTDIR"
  File "/oname=${NAME}" "${WHEEL}"
  ; Extras are those of /EXTRAS=tui,push, or else those of the installation before.
  ReadRegStr $extras HKCU "${LISTED}" "Extras"
  ${GetParameters} $0
  ClearErrors
  ${GetOptions} $0 "/EXTRAS=" $1
  IfErrors +2
    StrCpy $extras $1
  StrCpy $1 ""
  StrCmp $extras "" +2
    StrCpy $1 "[$extras]"
  nsExec::ExecToLog '"$uv" tool install --force "$INSTDIR\${NAME}$1"'
  Pop $0
  StrCmp $0 "0" installed
  SetOutPath "$TEMP" ; a folder that a program is in cannot go
  Delete "$INSTDIR\${NAME}"
  RMDir "$INSTDIR"
  SetErrorLevel ${UV_FAILED}
  Abort "uv could not install it. End Command Center if it runs, and try again."
installed:
  WriteUninstaller "$INSTDIR\uninstall.exe"
  WriteRegStr HKCU "${LISTED}" "DisplayName" "Command Center"
  WriteRegStr HKCU "${LISTED}" "DisplayVersion" "${VERSION}"
  WriteRegStr HKCU "${LISTED}" "Extras" "$extras"
  WriteRegStr HKCU "${LISTED}" "Publisher" "Command Center"
  WriteRegStr HKCU "${LISTED}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${LISTED}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
SectionEnd

Section "Uninstall"
  !insertmacro FindUv
  nsExec::ExecToLog '"$uv" tool uninstall command-center'
  Pop $0
  StrCmp $0 "0" +3
    SetErrorLevel ${UV_FAILED}
    Abort "uv could not remove it. End Command Center if it runs, and try again."
  DeleteRegKey HKCU "${LISTED}"
  Delete "$INSTDIR\*.whl"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
SectionEnd
